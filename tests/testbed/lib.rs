//! Everything that a test or a demo runs around the filter.
