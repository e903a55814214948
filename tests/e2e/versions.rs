//! In which versions of Envoy tests run: each is written once and takes the version.
//!
//! By itself a run has everything in the current version, what depends on Envoy in the oldest, and
//! some of everything in those between. What is left out is ignored: `.ci/run` runs it too where
//! `PORTCULLIS_ENVOYS` says so.

/// Makes the tests of one version: those that run by themselves, and those that don't.
macro_rules! in_envoy {
    ($module:ident, $version:expr, [$($runs:ident)*] [$($asked_for:ident)*]) => {
        mod $module {
            $(
                #[test]
                fn $runs() {
                    super::$runs($version);
                }
            )*
            $(
                #[test]
                #[ignore = "other versions of Envoy: --include-ignored"]
                fn $asked_for() {
                    super::$asked_for($version);
                }
            )*
        }
    };
}
pub(crate) use in_envoy;

/// Makes the tests of all versions, for files that have them of several kinds: of `every` version,
/// of `each` end, and of the `current` one, as the macros below say.
macro_rules! in_envoys {
    (every [$($every:ident)*] each [$($each:ident)*] current [$($current:ident)*]) => {
        $crate::versions::in_envoy!(
            current, testbed::envoy::CURRENT, [$($every)* $($each)* $($current)*] []
        );
        $crate::versions::in_envoy!(
            oldest, testbed::envoy::OLDEST, [$($every)* $($each)*] [$($current)*]
        );
        $crate::versions::in_envoy!(v1_37_0, "1.37.0", [$($every)*] [$($each)* $($current)*]);
        $crate::versions::in_envoy!(v1_38_2, "1.38.2", [$($every)*] [$($each)* $($current)*]);
        $crate::versions::in_envoy!(v1_39_3, "1.39.3", [$($every)*] [$($each)* $($current)*]);
    };
}
pub(crate) use in_envoys;

/// Makes a test of each named function for each version of Envoy: those that show that a version
/// has all that the filter stands on, with something of each of its concerns.
macro_rules! in_every_envoy {
    ($($name:ident),+ $(,)?) => {
        $crate::versions::in_envoys!(every [$($name)+] each [] current []);
    };
}
pub(crate) use in_every_envoy;

/// As [`in_every_envoy`], but in the versions between the current and the oldest only when asked for.
macro_rules! in_each_envoy {
    ($($name:ident),+ $(,)?) => {
        $crate::versions::in_envoys!(every [] each [$($name)+] current []);
    };
}
pub(crate) use in_each_envoy;

/// As [`in_each_envoy`], for tests whose subject is the filter's own work and not what a version of
/// Envoy does with it: in others than the current one they run when asked for.
macro_rules! in_the_current_envoy {
    ($($name:ident),+ $(,)?) => {
        $crate::versions::in_envoys!(every [] each [] current [$($name)+]);
    };
}
pub(crate) use in_the_current_envoy;
