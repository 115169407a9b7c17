//! What happens to stock, decided in memory and without I/O.

mod stock;
pub use stock::{Decision, MAX_QUANTITY, Stock, order_of};

mod level;
pub use level::Level;

mod reservation;
pub use reservation::{Reservation, Status};
