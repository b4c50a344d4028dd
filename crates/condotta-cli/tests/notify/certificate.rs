//! Certificates made on the spot.

use crate::processes::Place;

/// Writes `ca.pem`, and `cert.pem` with `key.pem` of a host that it vouches for.
pub(crate) fn write(place: &Place, host: &str) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    place.write("ca.pem", &ca.pem());
    place.write("cert.pem", &certificate.pem());
    place.write("key.pem", &key.serialize_pem());
}
