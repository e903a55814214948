//! Providers that fail after they gave their keys: those serve on, for a bounded time.

use serde_json::json;
use testbed::idp::Idp;
use testbed::wait;

use super::{PATIENCE, call, discovered, is_without_keys, trusting, until};
use crate::support::Guarded;
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(an_outage_is_outlasted_for_as_long_as_keys_are_kept);

fn an_outage_is_outlasted_for_as_long_as_keys_are_kept(version: &str) {
    let lasting = Idp::start().unwrap();
    let brief = Idp::start().unwrap();
    let timings = json!({"refresh": "1s", "timeout": "1s", "wait": "1s", "cooldown": "1s"});
    let mut short = timings.clone();
    short["keep"] = json!("4s");
    let providers = [
        discovered("lasting", &lasting.issuer(), &timings),
        discovered("brief", &brief.issuer(), &short),
    ];
    let guarded = Guarded::start_with(version, &trusting(&providers), |builder| {
        builder
            .cluster("lasting", lasting.port())
            .cluster("brief", brief.port())
    });
    let vms = Vms::of(&guarded.mesh);
    // A subject of its own for each token: none is in a cache.
    let mut number = 0;
    let mut serves = |idp: &Idp| {
        number += 1;
        let answer = call(&guarded, &idp.good(&format!("svc-{number}"), &[]));
        assert_eq!(answer.status, 200, "{}: {}", idp.issuer(), answer.text());
    };
    serves(&lasting);
    serves(&brief);

    // First it answers nonsense, then not at all.
    lasting.answer_with(500);
    let before = lasting.fetches().discovery;
    let failed = || {
        serves(&lasting);
        lasting.fetches().discovery >= before + 4
    };
    wait::until("refreshes that fail", PATIENCE, failed).unwrap();
    lasting.go_away();
    let refused = || {
        let stats = guarded
            .mesh
            .stats("cluster.lasting.upstream_cx_connect_fail");
        stats.unwrap().values().sum::<u64>()
    };
    let before = refused();
    let failed = || {
        serves(&lasting);
        refused() >= before + 4
    };
    wait::until("refreshes that reach nobody", PATIENCE, failed).unwrap();

    brief.go_away();
    let answer = until(&guarded, 503, || brief.good("ana", &[]));
    is_without_keys(&answer, "brief");
    serves(&lasting);
    brief.come_back().unwrap();
    until(&guarded, 200, || brief.good("ana", &[]));

    lasting.recover();
    lasting.come_back().unwrap();
    lasting.rotate().unwrap();
    until(&guarded, 200, || lasting.good("ana", &[]));
    vms.all_live(&guarded.mesh);
}
