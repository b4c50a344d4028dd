//! Certificates made on the spot, by an authority that nobody knows.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// Vouches for servers.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate: who has it trusts the others.
    pub pem: String,
}

/// What a server shows, and what it keeps to itself.
pub struct Certificate {
    /// The certificate.
    pub pem: String,
    /// The private key.
    pub key: String,
}

impl Authority {
    /// One of this name.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// The certificate of the server with this name or address.
    pub fn certificate(&self, host: &str) -> Certificate {
        self.sign(&params(host))
    }

    /// The same, but its time is over.
    pub fn expired(&self, host: &str) -> Certificate {
        let mut params = params(host);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer);
        Certificate {
            pem: signed.expect("a certificate").pem(),
            key: key.serialize_pem(),
        }
    }
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).expect("a name")
}
