use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// Runs what the bytes of one message may make panic, so that they end this message and not the consumer.
/// The hook of the process logs it, once.
///
/// # Errors
///
/// The text of the panic.
pub(crate) fn contained<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|panic| text(&*panic))
}

/// The same for what is expected to panic and can be done without: nothing is logged.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> Option<T> {
    thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                loud(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    result.ok()
}

/// What was given to `panic!`.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", text.unwrap_or("no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_only_what_it_was_about() {
        let none: Vec<i32> = Vec::new();
        let result = contained(|| none[0]);
        assert!(result.is_err_and(|text| text.starts_with("it panicked: index out of bounds")));
        assert_eq!(contained(|| 1), Ok(1));
        assert_eq!(quietly(|| none[0]), None);
        assert_eq!(quietly(|| 1), Some(1));
    }
}
