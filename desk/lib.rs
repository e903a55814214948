//! The desk: where people approve requests to models, and where session records are kept.
//!
//! [`serve`] runs both halves on one SQLite file: the approval API over HTTP ([`approvals`]) and
//! the recorder that Envoy streams its access log to ([`sessions`]), which keeps its records in a
//! [`ledger`] that can't be changed unseen, that [`audit`] reads, and whose checkpoints go to [`witness`]es.
//! [`control`] takes orders for it while the desk runs. [`check`] tells what is wrong with a policy before it
//! is rolled out, [`token`] why a token is accepted or not, and [`doctor`] what is wrong with a running Envoy.
//! [`quotas`] has what records say of counts. [`init`] and [`development`] are for who tries it.

pub mod approvals;
pub mod audit;
pub mod check;
pub mod config;
pub mod control;
pub mod development;
pub mod doctor;
pub mod http;
pub mod init;
pub mod ledger;
mod look;
pub mod metrics;
pub mod net;
pub mod openapi;
mod pem;
mod plain;
pub mod policy;
pub mod quotas;
pub mod review;
mod seldom;
pub mod serve;
pub mod sessions;
pub mod stop;
pub mod store;
pub mod token;
pub mod witness;
