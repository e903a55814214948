//! Tokens as real providers shape them.

use jwt_compact::alg::Es256;
use serde_json::{Value, json};

use super::{NOW, judge};
use base::identity::Kind;

use crate::identity::{Identity, Refusal, Verifier};
use crate::policy;
use crate::testing::{ec_public, ec_secret, signed};

fn judged(provider: &Value, claims: &Value) -> Result<Identity, Refusal> {
    judged_with(provider, &json!({"alg": "ES256", "kid": "a"}), claims)
}

fn judged_with(provider: &Value, header: &Value, claims: &Value) -> Result<Identity, Refusal> {
    let mut whole = json!({
        "name": "p", "issuer": "https://idp", "audiences": ["inference"],
        "keys": {"jwks": {"keys": [ec_public(1, "a")]}},
    });
    merge(&mut whole, provider);
    let policy = json!({
        "version": 1, "identity": {"providers": [whole]},
        "rules": [{"name": "all", "then": "allow"}],
    });
    let policy = policy::load(&policy.to_string(), &|_| None).unwrap();
    let verifier = Verifier::new(&policy.identity, None).unwrap();
    let mut all = json!({
        "iss": "https://idp", "aud": "inference", "sub": "jane", "exp": NOW + 60,
    });
    merge(&mut all, claims);
    judge(&verifier, &signed(&Es256, &ec_secret(1), header, &all))
}

/// Members that are null are taken out.
fn merge(value: &mut Value, other: &Value) {
    for (name, member) in other.as_object().unwrap() {
        let members = value.as_object_mut().unwrap();
        if member.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), member.clone());
        }
    }
}

#[test]
fn keycloak() {
    let provider = json!({"claims": {"groups": "realm_access.roles", "scopes": "scope"}});
    let person = json!({
        "azp": "notebook", "scope": "openid  models:read", "preferred_username": "jane",
        "realm_access": {"roles": ["engineers"]},
    });
    let identity = judged(&provider, &person).unwrap();
    assert_eq!(identity.groups, ["engineers"]);
    assert_eq!(identity.claims["scopes"], ["openid", "models:read"]);
    assert_eq!(identity.client.as_deref(), Some("notebook"));
    assert_eq!(identity.kind, Kind::Person);
    let service = json!({"azp": "batch", "preferred_username": "service-account-batch"});
    assert_eq!(judged(&provider, &service).unwrap().kind, Kind::Service);
}

#[test]
fn entra_and_its_groups_that_are_elsewhere() {
    let provider = json!({"claims": {"groups": "groups", "subject": "oid"}});
    let here = json!({"oid": "1", "groups": ["g1"], "appid": "app", "idtyp": "app"});
    let identity = judged(&provider, &here).unwrap();
    assert_eq!(identity.kind, Kind::Service);
    assert_eq!(identity.client.as_deref(), Some("app"));
    for elsewhere in [
        json!({"oid": "1", "_claim_names": {"groups": "src1"}}),
        json!({"oid": "1", "hasgroups": true}),
        json!({"oid": "1", "hasgroups": "true"}),
    ] {
        assert_eq!(
            judged(&provider, &elsewhere).unwrap_err(),
            Refusal::GroupsOverage
        );
        let mut ignores = provider.clone();
        ignores["groups_overage"] = json!("ignore");
        assert_eq!(
            judged(&ignores, &elsewhere).unwrap().groups,
            Vec::<String>::new()
        );
    }
    let others = json!({"oid": "1", "_claim_names": {"wids": "src1"}});
    assert!(judged(&provider, &others).is_ok());
    // Who asks for no groups misses none.
    let elsewhere = json!({"hasgroups": true});
    assert!(judged(&json!({}), &elsewhere).is_ok());
}

#[test]
fn cognito_says_client_instead_of_audience() {
    let provider = json!({
        "audiences": ["client-1"], "audience_claim": "client_id",
        "claims": {"groups": "cognito:groups"},
    });
    let token = json!({"aud": null, "client_id": "client-1", "cognito:groups": ["g"]});
    assert_eq!(judged(&provider, &token).unwrap().groups, ["g"]);
    let other = json!({"aud": "client-1", "client_id": "client-2"});
    assert_eq!(
        judged(&provider, &other).unwrap_err(),
        Refusal::AudienceMismatch
    );
}

#[test]
fn kubernetes_service_accounts() {
    let provider = json!({"claims": {"ns": "/kubernetes.io/namespace"}});
    let token = json!({
        "aud": ["inference"], "sub": "system:serviceaccount:ml:batch",
        "kubernetes.io": {"namespace": "ml", "serviceaccount": {"name": "batch", "uid": "u"}},
    });
    let identity = judged(&provider, &token).unwrap();
    assert_eq!(identity.kind, Kind::Service);
    assert_eq!(identity.claims["ns"], ["ml"]);
}

#[test]
fn spiffe_workloads_need_no_issuer_and_stay_in_their_domain() {
    let provider = json!({"issuer": "spiffe://example.org"});
    let of =
        |subject: &str, issuer: Value| judged(&provider, &json!({"iss": issuer, "sub": subject}));
    let identity = of("spiffe://example.org/ns/ml/sa/batch", Value::Null).unwrap();
    assert_eq!(identity.kind, Kind::Service);
    assert_eq!(identity.issuer, "spiffe://example.org");
    for subject in [
        "spiffe://example.com/x",
        "spiffe://example.org.evil/x",
        "jane",
    ] {
        assert_eq!(
            of(subject, Value::Null).unwrap_err(),
            Refusal::UnknownIssuer,
            "{subject}"
        );
        // A domain that signs for another one is not believed.
        assert_eq!(
            of(subject, json!("spiffe://example.org")).unwrap_err(),
            Refusal::SubjectMissing,
            "{subject}"
        );
    }
    // Without a domain, a token without an issuer is nobody's.
    assert_eq!(
        judged(&json!({}), &json!({"iss": null})).unwrap_err(),
        Refusal::UnknownIssuer
    );
}

#[test]
fn types_and_clients_can_be_required() {
    let provider = json!({"types": ["at+jwt"], "clients": ["web-*"]});
    let claims = json!({"azp": "web-1"});
    let with = |kind: &str| json!({"alg": "ES256", "kid": "a", "typ": kind});
    for kind in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(
            judged_with(&provider, &with(kind), &claims).is_ok(),
            "{kind}"
        );
    }
    assert_eq!(
        judged_with(&provider, &with("JWT"), &claims).unwrap_err(),
        Refusal::TypeNotAccepted
    );
    assert_eq!(
        judged(&provider, &claims).unwrap_err(),
        Refusal::TypeNotAccepted
    );
    for other in [json!({"azp": "app"}), json!({})] {
        assert_eq!(
            judged_with(&provider, &with("at+jwt"), &other).unwrap_err(),
            Refusal::ClientNotAccepted
        );
    }
}

#[test]
fn a_client_for_itself_is_a_service_unless_the_policy_says_otherwise() {
    let token = json!({"sub": "batch", "client_id": "batch"});
    assert_eq!(judged(&json!({}), &token).unwrap().kind, Kind::Service);
    let people = json!({"kind": "person"});
    assert_eq!(judged(&people, &token).unwrap().kind, Kind::Person);
    let auth0 = json!({"gty": "client-credentials"});
    assert_eq!(judged(&json!({}), &auth0).unwrap().kind, Kind::Service);
}

#[test]
fn claims_are_found_by_pointer_and_by_dots() {
    let provider = json!({"claims": {
        "a": "/x~1y/z", "b": "https://example.com/groups", "c": "list", "d": "nested.deep.er",
        "e": "missing.path", "f": {"at": "names", "separator": ","},
    }});
    let token = json!({
        "x/y": {"z": 7}, "https://example.com/groups": ["g"], "list": ["1", 2, "3"],
        "nested": {"deep": {"er": true}}, "names": "p, q,,r",
    });
    let claims = judged(&provider, &token).unwrap().claims;
    assert_eq!(claims["a"], ["7"]);
    assert_eq!(claims["b"], ["g"]);
    assert_eq!(claims["c"], ["1", "3"]);
    assert_eq!(claims["d"], ["true"]);
    assert_eq!(claims.get("e"), None);
    assert_eq!(claims["f"], ["p", "q", "r"]);
}
