//! Whom the TLS clients of the process trust.

use std::{ffi::OsString, fs, path::Path};

use rustls::pki_types::{CertificateDer, pem::PemObject};

/// Names a PEM file with the authorities that are trusted, instead of those of the system. The clients of RabbitMQ, Kafka,
/// PostgreSQL and HTTP all read it by themselves, and each has words of its own for a file that is missing.
pub(crate) const VARIABLE: &str = "SSL_CERT_FILE";

/// What is wrong with that file, if one is named.
pub(crate) fn wrong_authorities(file: Option<OsString>) -> Option<String> {
    let file = file.filter(|file| !file.is_empty())?;
    let reason = read(Path::new(&file)).err()?;
    Some(format!("{VARIABLE}: {reason}"))
}

fn read(path: &Path) -> Result<(), String> {
    let place = path.display();
    let pem = fs::read(path).map_err(|error| format!("cannot read {place}: {error}"))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(()),
        Ok(_) => Err(format!("{place} holds no certificate in PEM")),
        Err(error) => Err(format!("{place} is no PEM: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;

    use super::*;

    #[test]
    fn without_a_file_the_system_says_whom_to_trust() {
        assert_eq!(wrong_authorities(None), None);
        assert_eq!(wrong_authorities(Some("".into())), None);
    }

    #[test]
    fn a_file_without_certificates_is_named_with_its_variable() -> std::io::Result<()> {
        let file = temp_dir().join(format!("spillway-trust-{}.pem", std::process::id()));
        for (text, reason) in [
            ("no PEM at all", Some("holds no certificate in PEM")),
            ("", Some("holds no certificate in PEM")),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", Some("is no PEM: ")),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                None,
            ),
        ] {
            fs::write(&file, text)?;
            let wrong = wrong_authorities(Some(file.clone().into()));
            match reason {
                None => assert_eq!(wrong, None, "{text:?}"),
                Some(reason) => {
                    let wrong = wrong.unwrap_or_default();
                    let beginning = format!("SSL_CERT_FILE: {} {reason}", file.display());
                    assert!(wrong.starts_with(&beginning), "{text:?}: {wrong}");
                }
            }
        }
        fs::remove_file(file)?;
        let wrong = wrong_authorities(Some("/nowhere/ca.pem".into())).unwrap_or_default();
        let beginning = "SSL_CERT_FILE: cannot read /nowhere/ca.pem: ";
        assert!(wrong.starts_with(beginning), "{wrong}");
        Ok(())
    }
}
