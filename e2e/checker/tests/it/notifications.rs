//! Promises about notifications.

use checker::Class::{Contradiction, Duplicated, Lost, Unexpected};
use checker::Promise::{DeadLettersArePoison, OneNotification};
use checker::{DeadLetter, Email, Observed, check};
use uuid::Uuid;

use crate::found_after;
use crate::healthy::healthy;

#[test]
fn a_notification_that_was_never_decided_upon_is_lost() {
    let found = found_after(|o| {
        let push = o
            .notifications
            .iter()
            .position(|one| one.channel == "push")
            .unwrap();
        o.notifications.remove(push);
        o.told[0].told.retain(|(event, channel)| {
            (event.as_str(), channel.as_str()) != ("order-placed", "push")
        });
    });
    assert_eq!(found, [(OneNotification, Lost)]);
}

#[test]
fn a_notification_that_was_never_sent_is_lost() {
    let found = found_after(|o| o.notifications[0].deliveries = 0);
    assert_eq!(found, [(OneNotification, Lost)]);
}

#[test]
fn a_notification_that_was_sent_twice_is_a_duplicate() {
    let found = found_after(|o| o.notifications[0].deliveries = 2);
    assert_eq!(found, [(OneNotification, Duplicated)]);
}

#[test]
fn a_second_notification_of_one_event_is_a_duplicate() {
    let found = found_after(|o| {
        let mut again = o.notifications[0].clone();
        again.id = Uuid::now_v7();
        o.told[0]
            .told
            .push((again.event.clone(), again.channel.clone()));
        o.told[0].told.sort_unstable();
        o.notifications.push(again);
    });
    assert_eq!(found, [(OneNotification, Duplicated)]);
}

#[test]
fn a_notification_of_what_did_not_happen_is_unexpected() {
    let found = found_after(|o| {
        let mut stray = o.notifications[0].clone();
        stray.order_id = Uuid::now_v7();
        o.notifications.push(stray);
    });
    assert_eq!(found, [(OneNotification, Unexpected)]);
}

#[test]
fn a_notification_for_somebody_else_is_a_contradiction() {
    let found = found_after(|o| o.notifications[0].recipient = "mallory@example.org".to_owned());
    assert_eq!(found, [(OneNotification, Contradiction)]);
}

#[test]
fn an_api_that_hides_a_notification_is_a_contradiction() {
    let found = found_after(|o| _ = o.told[0].told.pop());
    assert_eq!(found, [(OneNotification, Contradiction)]);
}

#[test]
fn an_email_that_never_arrived_is_lost() {
    let found = found_after(|o| _ = o.emails.pop());
    assert_eq!(found, [(OneNotification, Lost)]);
}

#[test]
fn an_email_that_no_notification_knows_is_unexpected() {
    let message_id = "<stray@spillway.example>".to_owned();
    let found = found_after(|o| o.emails.push(Email { message_id }));
    assert_eq!(found, [(OneNotification, Unexpected)]);
}

#[test]
fn a_copy_of_an_email_is_only_counted_when_an_interruption_explains_it() {
    let mut observed = healthy();
    observed.interruptions = 1;
    observed.emails.push(observed.emails[0].clone());
    let verdict = check(&observed);
    assert!(verdict.is_kept(), "{:?}", verdict.violations);
    assert_eq!(verdict.repeated_emails, 1);
}

#[test]
fn a_copy_of_an_email_without_an_interruption_is_a_duplicate() {
    let found = found_after(|o| o.emails.push(o.emails[0].clone()));
    assert_eq!(found, [(OneNotification, Duplicated)]);
}

#[test]
fn a_copy_of_an_email_is_only_counted_when_a_takeover_explains_it() {
    let mut observed = healthy();
    observed.takeovers = Some(1);
    observed.emails.push(observed.emails[0].clone());
    let verdict = check(&observed);
    assert!(verdict.is_kept(), "{:?}", verdict.violations);
    assert_eq!(verdict.repeated_emails, 1);
}

/// The first e-mail was never said to be sent, and its task is a dead letter for this reason.
fn doubt(o: &mut Observed) {
    let mut emails = o.notifications.iter_mut();
    let one = emails.find(|one| one.channel == "email").unwrap();
    one.deliveries = 0;
    o.dead_letters.push(DeadLetter {
        message_id: Uuid::now_v7().to_string(),
        consumer: "notification.email".to_owned(),
        reason: "the e-mail may have been delivered".to_owned(),
        in_doubt: Some(one.id),
    });
}

#[test]
fn an_email_in_doubt_is_only_counted_when_the_mail_server_was_lost() {
    let mut observed = healthy();
    doubt(&mut observed);
    observed.cut_offs = 1;
    let verdict = check(&observed);
    assert!(verdict.is_kept(), "{:?}", verdict.violations);
    assert_eq!(verdict.emails_in_doubt, 1);
}

#[test]
fn an_email_in_doubt_that_did_not_arrive_is_only_counted_too() {
    let mut observed = healthy();
    doubt(&mut observed);
    observed.cut_offs = 1;
    let id = observed.dead_letters.last().unwrap().in_doubt.unwrap();
    let message_id = format!("<{id}@spillway.example>");
    observed
        .emails
        .retain(|email| email.message_id != message_id);
    assert!(check(&observed).is_kept());
}

#[test]
fn an_email_in_doubt_while_the_mail_server_was_there_is_lost() {
    assert_eq!(found_after(doubt), [(OneNotification, Lost)]);
}

#[test]
fn an_email_that_is_a_dead_letter_without_a_doubt_is_lost() {
    let found = found_after(|o| {
        o.cut_offs = 1;
        doubt(o);
        o.dead_letters.last_mut().unwrap().in_doubt = None;
    });
    let expected = [(OneNotification, Lost), (DeadLettersArePoison, Unexpected)];
    assert_eq!(found, expected);
}

#[test]
fn a_copy_of_an_email_that_nobody_took_over_is_a_duplicate_however_many_faults_there_were() {
    let found = found_after(|o| {
        o.interruptions = 100;
        o.takeovers = Some(0);
        o.emails.push(o.emails[0].clone());
    });
    assert_eq!(found, [(OneNotification, Duplicated)]);
}

#[test]
fn a_second_copy_after_one_takeover_is_a_duplicate() {
    let found = found_after(|o| {
        o.takeovers = Some(1);
        let copies = vec![o.emails[0].clone(); 2];
        o.emails.extend(copies);
    });
    assert_eq!(found, [(OneNotification, Duplicated)]);
}

#[test]
fn more_copies_of_emails_than_interruptions_explain_are_duplicates() {
    let found = found_after(|o| {
        o.interruptions = 1;
        let copies = vec![o.emails[0].clone(); 1_000];
        o.emails.extend(copies);
    });
    assert_eq!(found, [(OneNotification, Duplicated)]);
}
