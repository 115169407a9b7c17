/// Of whom an error of the database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Of what was asked: the data cannot be stored or read as it is, now and at any time later.
    OfTheRequest,
    /// Of the server, the connection or others who work with it: what was asked may be as good as any.
    OfTheDatabase,
    /// Of the tables, the rights or the server's own faults. Nearly always the database is not as the
    /// program needs it, and then it fails for everybody; yet one damaged row, or one branch of the
    /// program that nobody takes otherwise, fails alone.
    OfTheSchema,
}

/// SQLSTATE classes that speak of data, and each with its reason. All others do not
/// (PostgreSQL documentation, appendix A).
const DATA: [&str; 9] = [
    "20",    // case_not_found: a `case` of PL/pgSQL knows no branch for the value.
    "21",    // cardinality_violation: more rows than one, or one row twice in an upsert.
    "22",    // data_exception: out of range, not a number, a character that cannot be stored.
    "23",    // integrity_constraint_violation: null, unique, foreign key, check.
    "25P02", // in_failed_sql_transaction: follows from an error that the caller has swallowed.
    "27",    // triggered_data_change_violation: a trigger has changed the row meanwhile.
    "44",    // with_check_option_violation: the view does not take the row.
    "54",    // program_limit_exceeded: the value is too long for an index, nested too deeply.
    "P0",    // plpgsql_error: `raise exception` of a trigger or a function.
];

/// SQLSTATE classes that never depend on what was asked.
const DATABASE: [&str; 9] = [
    "08", // connection_exception.
    "25", // invalid_transaction_state: read-only (25006, as after a failover), idle too long (25P03).
    "28", // invalid_authorization_specification: the password or the role is refused.
    "3D", // invalid_catalog_name: there is no such database, as while it is restored.
    "40", // transaction_rollback: a deadlock or a serialization failure, lost against others.
    "53", // insufficient_resources: memory, disk, connections.
    "55", // object_not_in_prerequisite_state: a lock that was not given in time, an object in use.
    "57", // operator_intervention: a shutdown, a restart, `statement_timeout`.
    "58", // system_error: the disk.
];

/// Of whom the error speaks: **the** list, on which HTTP and consumers decide.
///
/// An error says that a request or a message is to blame only where it speaks of data. All else is an
/// outage, whether the server is away, read-only, refuses the password, or misses a table or a right.
#[must_use]
pub fn speaks(error: &sqlx::Error) -> Speaks {
    match error {
        sqlx::Error::Database(error) => error.code().map_or(Speaks::OfTheSchema, |code| of(&code)),
        // What the program wrote or read does not fit its own types.
        sqlx::Error::RowNotFound
        | sqlx::Error::Encode(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::InvalidArgument(_) => Speaks::OfTheRequest,
        // The result has not the columns that the program knows.
        sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => Speaks::OfTheSchema,
        // The connection, TLS, the protocol, the pool.
        _ => Speaks::OfTheDatabase,
    }
}

/// Whether the error says nothing about what was asked: the same may succeed once the database is well.
#[must_use]
pub fn is_outage(error: &sqlx::Error) -> bool {
    speaks(error) != Speaks::OfTheRequest
}

fn of(code: &str) -> Speaks {
    let is_one_of = |classes: &[&str]| classes.iter().any(|class| code.starts_with(class));
    if is_one_of(&DATA) {
        Speaks::OfTheRequest
    } else if is_one_of(&DATABASE) {
        Speaks::OfTheDatabase
    } else {
        Speaks::OfTheSchema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_speaks_of_data_is_no_outage() {
        for (code, expected) in [
            ("08006", Speaks::OfTheDatabase),
            ("0A000", Speaks::OfTheSchema),
            ("20000", Speaks::OfTheRequest),
            ("21000", Speaks::OfTheRequest),
            ("22021", Speaks::OfTheRequest),
            ("23505", Speaks::OfTheRequest),
            ("25006", Speaks::OfTheDatabase),
            ("25P02", Speaks::OfTheRequest),
            ("25P03", Speaks::OfTheDatabase),
            ("26000", Speaks::OfTheSchema),
            ("28000", Speaks::OfTheDatabase),
            ("28P01", Speaks::OfTheDatabase),
            ("3D000", Speaks::OfTheDatabase),
            ("3F000", Speaks::OfTheSchema),
            ("40001", Speaks::OfTheDatabase),
            ("40P01", Speaks::OfTheDatabase),
            ("42501", Speaks::OfTheSchema),
            ("42601", Speaks::OfTheSchema),
            ("42P01", Speaks::OfTheSchema),
            ("44000", Speaks::OfTheRequest),
            ("53100", Speaks::OfTheDatabase),
            ("53300", Speaks::OfTheDatabase),
            ("54000", Speaks::OfTheRequest),
            ("55P03", Speaks::OfTheDatabase),
            ("57014", Speaks::OfTheDatabase),
            ("57P01", Speaks::OfTheDatabase),
            ("58030", Speaks::OfTheDatabase),
            ("F0000", Speaks::OfTheSchema),
            ("HV000", Speaks::OfTheSchema),
            ("P0001", Speaks::OfTheRequest),
            ("XX001", Speaks::OfTheSchema),
            // Classes that the next version of PostgreSQL may bring.
            ("ZZ999", Speaks::OfTheSchema),
        ] {
            assert_eq!(of(code), expected, "{code}");
        }
    }

    #[test]
    fn a_database_that_is_away_is_an_outage() {
        for error in [
            sqlx::Error::PoolTimedOut,
            sqlx::Error::PoolClosed,
            sqlx::Error::WorkerCrashed,
            sqlx::Error::BeginFailed,
            sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into()),
            sqlx::Error::ColumnNotFound("sku".to_owned()),
        ] {
            assert!(is_outage(&error), "{error}");
        }
    }

    #[test]
    fn what_speaks_of_the_row_is_no_outage() {
        for error in [
            sqlx::Error::RowNotFound,
            sqlx::Error::Decode("unknown status".into()),
        ] {
            assert!(!is_outage(&error), "{error}");
        }
    }
}
