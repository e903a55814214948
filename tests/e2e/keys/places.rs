//! Where keys are fetched: at a URI that the policy names, or at the one that discovery finds,
//! on a cluster of its own and with a credential.

use serde_json::json;
use testbed::idp::{AUDIENCE, Asked, Idp};

use super::{call, discovered, trusting};
use crate::support::Guarded;
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(keys_are_asked_for_where_they_are);

const CREDENTIAL: &str = "discovery-key-41d0";

fn keys_are_asked_for_where_they_are(version: &str) {
    let direct = Idp::start().unwrap();
    let front = Idp::start().unwrap();
    let keys = Idp::start().unwrap();
    keys.publish(front.jwks());
    // Some providers name the set in the query. Requests for another authority are misdirected
    // everywhere here.
    front.document_keys(&format!("{}/jwks?set=7", keys.issuer()));
    let apart = json!({
        "keys_cluster": "keys",
        "credential": "Bearer ${DISCOVERY_KEY}",
        "refresh": "1h",
    });
    let uri = format!("{}/tenants/7/jwks?set=8", direct.issuer());
    let providers = [
        json!({
            "name": "direct",
            "issuer": "https://direct.example.com",
            "audiences": [AUDIENCE],
            "keys": {"jwks_uri": {"uri": uri, "cluster": "direct", "refresh": "1h"}},
        }),
        discovered("front", &front.issuer(), &apart),
    ];
    let guarded = Guarded::start_with(version, &trusting(&providers), |builder| {
        builder
            .variable("DISCOVERY_KEY", CREDENTIAL)
            .cluster("direct", direct.port())
            .cluster("front", front.port())
            .cluster("keys", keys.port())
    });
    let token = super::token_of(&direct, "https://direct.example.com");
    assert_eq!(call(&guarded, &token).status, 200);
    let target = "/tenants/7/jwks?set=8".to_owned();
    let asked = Asked {
        target,
        credential: None,
    };
    assert_eq!(direct.asked(), [asked]);

    assert_eq!(call(&guarded, &front.good("ana", &[])).status, 200);
    let with_the_credential = |target: &str| {
        let credential = Some(format!("Bearer {CREDENTIAL}"));
        let target = target.to_owned();
        vec![Asked { target, credential }]
    };
    let document = with_the_credential("/.well-known/openid-configuration");
    assert_eq!(front.asked(), document);
    assert_eq!(keys.asked(), with_the_credential("/jwks?set=7"));
    assert!(!guarded.mesh.log().contains(CREDENTIAL));
}
