//! Certificates made on the spot.

use condotta_test_servers::certificates::Authority;

use crate::processes::Place;

/// Writes `ca.pem`, and `cert.pem` with `key.pem` of a host that it vouches for.
pub(crate) fn write(place: &Place, host: &str) {
    let authority = Authority::new("one of the test's own");
    let certificate = authority.certificate(host);
    place.write("ca.pem", &authority.pem);
    place.write("cert.pem", &certificate.pem);
    place.write("key.pem", &certificate.key);
}
