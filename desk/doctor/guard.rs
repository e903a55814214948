//! The filter, wherever it stands in a configuration.

use serde_json::Value;

use super::places::At;
use super::setup::{HttpFilter, Manager, Setup};

/// The filter in a manager.
pub(super) struct Guard<'a> {
    /// The manager that it is in.
    pub(super) manager: &'a Manager<'a>,
    /// The filter.
    pub(super) filter: &'a HttpFilter<'a>,
    /// Its place among the filters.
    pub(super) position: usize,
    /// The plugin's configuration.
    pub(super) plugin: At<'a>,
}

impl<'a> Guard<'a> {
    /// What people call it.
    pub(super) fn shown(&self) -> String {
        format!("listener {:?}", self.manager.listener)
    }

    /// The policy's text.
    pub(super) fn policy(&self) -> Option<&'a str> {
        let configuration = self.plugin.get("configuration")?;
        match configuration.value {
            Value::String(text) => Some(text),
            _ => configuration.text("value"),
        }
    }

    /// The VM's configuration.
    pub(super) fn vm(&self) -> Option<At<'a>> {
        self.plugin.get("vm_config")
    }

    /// The id under which VMs share what they count.
    pub(super) fn vm_id(&self) -> &'a str {
        self.vm()
            .and_then(|vm| vm.text("vm_id"))
            .unwrap_or_default()
    }
}

/// All of them.
pub(super) fn all<'a>(setup: &'a Setup<'a>) -> Vec<Guard<'a>> {
    let mut found = Vec::new();
    for manager in &setup.managers {
        for (position, filter) in manager.filters.iter().enumerate() {
            if let Some(plugin) = plugin(filter) {
                found.push(Guard {
                    manager,
                    filter,
                    position,
                    plugin,
                });
            }
        }
    }
    found
}

/// The plugin's configuration, if a filter is this one: by a name that has it, or by a policy.
fn plugin<'a>(filter: &HttpFilter<'a>) -> Option<At<'a>> {
    let (kind, config) = filter.config.as_ref()?;
    if !kind.ends_with("filters.http.wasm.v3.Wasm") {
        return None;
    }
    let plugin = config.get("config")?;
    let local = plugin.at(&["vm_config", "code", "local"]);
    let names = [
        Some(filter.name),
        plugin.text("name"),
        plugin.text("root_id"),
        local.and_then(|local| local.text("filename")),
    ];
    let is_named = names
        .iter()
        .flatten()
        .any(|name| name.contains("portcullis"));
    let has_policy = plugin.get("configuration").is_some_and(|configuration| {
        let text = configuration.text("value").unwrap_or_default();
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        value.get("identity").is_some() && value.get("rules").is_some()
    });
    (is_named || has_policy).then_some(plugin)
}
