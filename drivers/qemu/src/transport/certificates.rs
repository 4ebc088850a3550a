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
    SerialNumber, SignatureAlgorithm,
};
use sha2::{Digest, Sha256};

use crate::error::StepError;

/// The common name of the client's certificate.
pub(crate) const CLIENT: &str = "migratrix-client";

/// The host name of a server's certificate that is not that of the address.
pub(crate) const OTHER_HOST: &str = "elsewhere.example";

/// A certificate and its key, as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The authority, and what it signs.
pub(crate) struct Authority {
    key: Key,
    parameters: CertificateParams,
}

struct Key {
    key: SigningKey,
    public: Vec<u8>,
}

impl Key {
    /// The key that follows from `name`.
    fn of(name: &str) -> Result<Self, StepError> {
        let digest = Sha256::digest(name.as_bytes());
        let key = SigningKey::from_slice(&digest).map_err(refused)?;
        let public = key.verifying_key().to_encoded_point(false);
        let public = public.as_bytes().to_vec();
        Ok(Self { key, public })
    }

    fn pem(&self) -> Result<String, StepError> {
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
    pub(crate) fn new() -> Result<Self, StepError> {
        let mut parameters = named("migratrix-authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = Key::of("migratrix-authority")?;
        Ok(Self { key, parameters })
    }

    /// Its own certificate, as PEM.
    pub(crate) fn certificate(&self) -> Result<String, StepError> {
        let signed = self.parameters.self_signed(&self.key).map_err(refused)?;
        Ok(signed.pem())
    }

    /// The certificate of a server that is reached as `host`, an address or a name.
    pub(crate) fn server(&self, host: &str) -> Result<Pair, StepError> {
        let mut parameters = named(host);
        parameters.subject_alt_names = vec![match host.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(host.try_into().map_err(refused)?),
        }];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(parameters, host)
    }

    /// The certificate of the client.
    pub(crate) fn client(&self) -> Result<Pair, StepError> {
        let mut parameters = named(CLIENT);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(parameters, CLIENT)
    }

    fn sign(&self, mut parameters: CertificateParams, name: &str) -> Result<Pair, StepError> {
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

fn refused(error: impl std::fmt::Display) -> StepError {
    StepError::Credentials(error.to_string())
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
            authority.server("127.0.0.1"),
            authority.server(OTHER_HOST),
            authority.client(),
        ] {
            let pair = pair.unwrap();
            assert!(pair.certificate.contains("BEGIN CERTIFICATE"));
            assert!(pair.key.contains("BEGIN PRIVATE KEY"));
        }
    }

    #[test]
    fn all_runs_have_the_same_keys() {
        let key = || Authority::new().unwrap().client().unwrap().key;
        assert_eq!(key(), key());
    }
}
