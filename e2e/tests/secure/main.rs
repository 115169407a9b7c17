//! The secure system, as `./dev test secure` starts it: everything works for those who may, and whoever is not trusted, does
//! not encrypt, has no right or brings no token is refused.

mod broken;
mod clients;
mod flow;
mod plain;
mod rights;
mod token;
