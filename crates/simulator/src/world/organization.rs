//! The organization and its tree of units.

use super::{Account, World};
use crate::chance::Draw;

#[derive(Debug, Clone)]
pub struct Organization {
    pub id: String,
    pub root_id: String,
    /// `ALL` or `CONSOLIDATED_BILLING`.
    pub feature_set: String,
    pub management_account: String,
    units: Vec<OrganizationalUnit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationalUnit {
    pub id: String,
    pub name: String,
    /// Names from the root: `Workloads/Production`.
    pub path: String,
    /// The id of the unit above, or of the root.
    pub parent_id: String,
}

impl Organization {
    pub fn new(id: impl Into<String>, management_account: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            root_id: format!("r-{}", lower_text(&[&id, "root"], 4)),
            id,
            feature_set: "ALL".to_owned(),
            management_account: management_account.into(),
            units: Vec::new(),
        }
    }

    pub fn units(&self) -> &[OrganizationalUnit] {
        &self.units
    }

    /// Makes the unit `path` and those above it, unless they are there.
    pub fn add_unit(&mut self, path: &str) {
        let mut parent_id = self.root_id.clone();
        let mut so_far = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if !so_far.is_empty() {
                so_far.push('/');
            }
            so_far.push_str(name);
            if let Some(unit) = self.unit_at(&so_far) {
                parent_id.clone_from(&unit.id);
                continue;
            }
            let root = self.root_id.trim_start_matches("r-");
            let id = format!("ou-{root}-{}", lower_text(&[&self.id, &so_far], 8));
            self.units.push(OrganizationalUnit {
                id: id.clone(),
                name: name.to_owned(),
                path: so_far.clone(),
                parent_id,
            });
            parent_id = id;
        }
    }

    pub fn unit_at(&self, path: &str) -> Option<&OrganizationalUnit> {
        self.units.iter().find(|unit| unit.path == path)
    }

    pub fn unit(&self, id: &str) -> Option<&OrganizationalUnit> {
        self.units.iter().find(|unit| unit.id == id)
    }

    /// The unit that holds `account`, or the root.
    pub fn parent_of(&self, account: &Account) -> &str {
        self.unit_at(&account.unit)
            .map_or(&self.root_id, |unit| &unit.id)
    }

    /// The ids from the organization down to the unit: `o-…/r-…/ou-…/`.
    pub fn id_path(&self, unit_path: &str) -> String {
        let mut path = format!("{}/{}/", self.id, self.root_id);
        let mut so_far = String::new();
        for name in unit_path.split('/').filter(|name| !name.is_empty()) {
            if !so_far.is_empty() {
                so_far.push('/');
            }
            so_far.push_str(name);
            if let Some(unit) = self.unit_at(&so_far) {
                path.push_str(&unit.id);
                path.push('/');
            }
        }
        path
    }
}

impl World {
    /// Puts `account` into the unit `path`, which is made if it is not there.
    pub fn move_to_unit(&mut self, account: &str, path: &str) {
        if let Some(organization) = &mut self.organization {
            organization.add_unit(path);
        }
        if let Some(account) = self.account_mut(account) {
            path.clone_into(&mut account.unit);
        }
    }
}

fn lower_text(parts: &[&str], length: usize) -> String {
    Draw::new(0, parts).key_text(length).to_lowercase()
}
