use contracts::FailKind;
use jiff::Timestamp;
use tokio::time::timeout;

use super::*;

/// Far more than it takes, and less than a minute.
const PATIENCE: Duration = Duration::from_secs(30);

fn nothing(service: &str) -> Control {
    Control {
        service: service.to_owned(),
        pause: false,
        slow_ms: 0,
        fail_percent: 0,
        fail_kind: FailKind::Transient,
        refuse_email: false,
        by: "Ada".to_owned(),
        since: Timestamp::UNIX_EPOCH,
        remaining_ms: 60_000,
    }
}

fn said(services: impl Into<Vec<Control>>) -> contracts::Controls {
    let services = services.into();
    contracts::Controls { services }
}

#[test]
fn what_is_asked_holds_until_its_time_and_at_most_five_seconds_without_another_word() {
    let now = Instant::now();
    for (remaining_ms, holds_ms) in [(60_000, 5_000), (5_000, 5_000), (300, 300), (0, 0)] {
        let control = Control {
            pause: true,
            remaining_ms,
            ..nothing("tests")
        };
        let asked = Asked::of("tests", &said([control]), now);
        let in_force = |after_ms| {
            let then = now + Duration::from_millis(after_ms);
            let asked = asked.as_ref();
            asked.is_some_and(|asked| asked.in_force(then).is_some())
        };
        assert!(!in_force(holds_ms), "{remaining_ms}");
        assert!(holds_ms == 0 || in_force(holds_ms - 1), "{remaining_ms}");
    }
}

#[test]
fn a_service_obeys_what_is_asked_of_it_alone() {
    let controls = Controls::new("tests");
    assert_eq!((controls.is_paused(), controls.batch(50)), (false, 50));
    let other = Control {
        pause: true,
        ..nothing("others")
    };
    let own = Control {
        slow_ms: 500,
        ..nothing("tests")
    };
    controls.hear(&said([other.clone(), own]));
    assert_eq!((controls.is_paused(), controls.batch(50)), (false, 4));
    // The next word stands in place of the last.
    controls.hear(&said([other]));
    assert_eq!((controls.is_paused(), controls.batch(50)), (false, 50));
}

#[test]
fn a_failure_that_was_asked_for_says_who_asked() {
    let controls = Controls::new("tests");
    assert!(controls.failure_of(Uuid::nil(), 0).is_none());
    for (fail_kind, is_retry) in [(FailKind::Transient, true), (FailKind::Permanent, false)] {
        let control = Control {
            fail_percent: 100,
            fail_kind,
            ..nothing("tests")
        };
        controls.hear(&said([control]));
        let failure = controls.failure_of(Uuid::nil(), 3);
        assert_eq!(matches!(failure, Some(Failure::Retry(_))), is_retry);
        assert_eq!(matches!(failure, Some(Failure::Reject(_))), !is_retry);
        let reason = failure.map(|failure| failure.to_string());
        let expected = "made to fail, as Ada has asked for 100 % of attempts";
        assert_eq!(reason.as_deref(), Some(expected));
    }
    assert!(controls.refusal_of_effects().is_none());
    let control = Control {
        refuse_email: true,
        ..nothing("tests")
    };
    controls.hear(&said([control]));
    let refusal = controls.refusal_of_effects();
    assert!(matches!(refusal, Some(Failure::Unavailable(_))));
}

#[tokio::test]
async fn whoever_waits_hears_of_a_pause_and_of_its_end_by_itself() -> anyhow::Result<()> {
    let controls = Controls::new("tests");
    timeout(PATIENCE, controls.until_resumed()).await?;
    let control = Control {
        pause: true,
        remaining_ms: 50,
        ..nothing("tests")
    };
    let both = async {
        tokio::join!(controls.until_paused(), async {
            controls.hear(&said([control]))
        })
    };
    timeout(PATIENCE, both).await?;
    timeout(PATIENCE, controls.until_resumed()).await?;
    assert!(!controls.is_paused());
    Ok(())
}

#[tokio::test]
async fn a_pause_ends_the_wait_before_a_batch() -> anyhow::Result<()> {
    let controls = Controls::new("tests");
    let slow = Control {
        slow_ms: 2_000,
        ..nothing("tests")
    };
    controls.hear(&said([slow.clone()]));
    let paused = Control {
        pause: true,
        ..slow
    };
    let before = Instant::now();
    let both = async {
        tokio::join!(controls.slow_down(1), async {
            controls.hear(&said([paused]))
        })
    };
    timeout(PATIENCE, both).await?;
    assert!(before.elapsed() < Duration::from_secs(2));
    Ok(())
}
