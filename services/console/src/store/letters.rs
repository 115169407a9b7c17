//! Letters and all that belongs to them.

mod act;
pub use act::{discard_letters, matching_letters, restore_letters};

mod edit;
pub use edit::{
    Draft, Edit, Revised, Revision, beginning, draft, revise, revision, revisions, save_draft,
};

mod find;
pub(super) use find::overtaken;
pub use find::{Counted, LetterFilter, LetterGroup, count_letters, letter, letter_groups, letters};

mod history;
pub use history::{Entry, changes_of_letters, history};

mod keep;
mod lock;
pub use keep::{NewLetter, keep_letters};
pub(super) use lock::alone;

mod row;
pub use row::{LastReplay, Letter};
