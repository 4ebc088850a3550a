//! Certificates for the two ends of an encrypted stream.
//!
//! They protect nothing: their keys follow from their names, so that none has to be kept, and all
//! runs have the same.

use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::{EncodePrivateKey, LineEnding},
};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, PublicKeyData, SanType,
    SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use sha2::{Digest, Sha256};

/// The year for which an expired certificate was valid.
const EXPIRED: i32 = 2001;

/// The common name of the client's certificate.
pub const CLIENT: &str = "migratrix-client";

/// The host name of a server's certificate that is not that of the address.
pub const OTHER_HOST: &str = "elsewhere.example";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[error("no credentials can be made: {0}")]
pub struct Unmade(String);

/// A certificate and its key, as PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Whenever it is looked at.
    Always,
    /// It was, for a year that is long over.
    Expired,
}

/// The authority, and what it signs.
pub struct Authority {
    key: Key,
    parameters: CertificateParams,
}

struct Key {
    key: SigningKey,
    public: Vec<u8>,
}

impl Key {
    /// The key that follows from `name`.
    fn of(name: &str) -> Result<Self, Unmade> {
        let digest = Sha256::digest(name.as_bytes());
        let key = SigningKey::from_slice(&digest).map_err(refused)?;
        let public = key.verifying_key().to_encoded_point(false);
        let public = public.as_bytes().to_vec();
        Ok(Self { key, public })
    }

    fn pem(&self) -> Result<String, Unmade> {
        let pem = self.key.to_pkcs8_pem(LineEnding::LF).map_err(refused)?;
        Ok(pem.as_str().to_owned())
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: Signature = self.key.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

impl Authority {
    /// The authority that all trust.
    ///
    /// # Errors
    /// Returns an error where its key can't be made.
    pub fn new() -> Result<Self, Unmade> {
        Self::named("migratrix-authority")
    }

    /// One that only those trust who are given it.
    ///
    /// # Errors
    /// Returns an error where its key can't be made.
    pub fn foreign() -> Result<Self, Unmade> {
        Self::named("migratrix-foreign-authority")
    }

    fn named(name: &str) -> Result<Self, Unmade> {
        let mut parameters = named(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = Key::of(name)?;
        Ok(Self { key, parameters })
    }

    /// Its own certificate, as PEM.
    ///
    /// # Errors
    /// Returns an error where it can't be signed.
    pub fn certificate(&self) -> Result<String, Unmade> {
        let signed = self.parameters.self_signed(&self.key).map_err(refused)?;
        Ok(signed.pem())
    }

    /// The certificate of a server that is reached as each of `hosts`, an address or a name. Its own name is the
    /// first.
    ///
    /// # Errors
    /// Returns an error where a name is none, or it can't be signed.
    pub fn server(&self, hosts: &[&str], validity: Validity) -> Result<Pair, Unmade> {
        let name = hosts.first().copied().unwrap_or_default();
        let mut parameters = named(name);
        let alternatives = hosts.iter().map(|host| alternative(host));
        parameters.subject_alt_names = alternatives.collect::<Result<_, _>>()?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if validity == Validity::Expired {
            parameters.not_before = date_time_ymd(EXPIRED, 1, 1);
            parameters.not_after = date_time_ymd(EXPIRED, 12, 31);
        }
        self.sign(parameters, name)
    }

    /// The certificate of the client.
    ///
    /// # Errors
    /// Returns an error where it can't be signed.
    pub fn client(&self) -> Result<Pair, Unmade> {
        let mut parameters = named(CLIENT);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(parameters, CLIENT)
    }

    fn sign(&self, mut parameters: CertificateParams, name: &str) -> Result<Pair, Unmade> {
        parameters.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
        ];
        let key = Key::of(name)?;
        let issuer = Issuer::from_params(&self.parameters, &self.key);
        let signed: Certificate = parameters.signed_by(&key, &issuer).map_err(refused)?;
        Ok(Pair {
            certificate: signed.pem(),
            key: key.pem()?,
        })
    }
}

fn alternative(host: &str) -> Result<SanType, Unmade> {
    Ok(match host.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(host.try_into().map_err(refused)?),
    })
}

fn named(name: &str) -> CertificateParams {
    let digest = Sha256::digest(name.as_bytes());
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    // A serial number is positive.
    parameters.serial_number = Some(SerialNumber::from(u64::from(digest[0]) + 1));
    parameters.key_identifier_method = KeyIdMethod::PreSpecified(digest[..20].to_vec());
    parameters
}

fn refused(error: impl std::fmt::Display) -> Unmade {
    Unmade(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_and_a_client_are_signed_by_the_authority() {
        let authority = Authority::new().unwrap();
        assert!(
            authority
                .certificate()
                .unwrap()
                .contains("BEGIN CERTIFICATE")
        );
        for pair in [
            authority.server(&["127.0.0.1"], Validity::Always),
            authority.server(&[OTHER_HOST, "127.0.0.1"], Validity::Expired),
            authority.client(),
        ] {
            let pair = pair.unwrap();
            assert!(pair.certificate.contains("BEGIN CERTIFICATE"));
            assert!(pair.key.contains("BEGIN PRIVATE KEY"));
        }
    }

    #[test]
    fn what_another_authority_signs_or_has_expired_is_another_certificate_with_the_same_key() {
        let server = |authority: Result<Authority, Unmade>, validity| {
            authority.unwrap().server(&["a"], validity).unwrap()
        };
        let right = server(Authority::new(), Validity::Always);
        for wrong in [
            server(Authority::foreign(), Validity::Always),
            server(Authority::new(), Validity::Expired),
        ] {
            assert_ne!(wrong.certificate, right.certificate);
            assert_eq!(wrong.key, right.key);
        }
    }

    #[test]
    fn all_runs_have_the_same_keys() {
        let key = || Authority::new().unwrap().client().unwrap().key;
        assert_eq!(key(), key());
    }
}
