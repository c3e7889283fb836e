//! Whose history a store holds: one organization's, or one account's until that is known.

use std::fmt;

use model::{AccountId, SweepHeader};
use sqlx::SqliteConnection;

use crate::{column::Columns, error::Cause};

/// Whose history it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The account of the first caller.
    caller: AccountId,
    /// The organization, once a sweep could describe it.
    pub(crate) organization: Option<String>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.organization {
            Some(id) => write!(f, "organization {id}"),
            None => write!(f, "account {} and what it can enter", self.caller),
        }
    }
}

/// A sweep that belongs into another store.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) owner: String,
    pub(crate) sweep_of: String,
}

/// Decides whether a sweep belongs into this store, and notes whose it is.
pub(crate) async fn admit(
    connection: &mut SqliteConnection,
    header: &SweepHeader,
) -> Result<Result<(), Refusal>, Cause> {
    let owner = read(connection).await?;
    let is_known_caller = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?1)
             OR EXISTS (SELECT 1 FROM sweeps WHERE caller = ?1)",
    )
    .bind(header.caller.to_string())
    .fetch_one(&mut *connection)
    .await?;
    match decide(owner.as_ref(), header, is_known_caller) {
        Ok(new_owner) => {
            if owner.as_ref() != Some(&new_owner) {
                sqlx::query(
                    "INSERT INTO owner (only_row, caller, organization_id) VALUES (1, ?1, ?2)
                     ON CONFLICT (only_row) DO UPDATE SET organization_id = excluded.organization_id",
                )
                .bind(new_owner.caller.to_string())
                .bind(&new_owner.organization)
                .execute(&mut *connection)
                .await?;
            }
            Ok(Ok(()))
        }
        Err(refusal) => Ok(Err(refusal)),
    }
}

pub(crate) async fn read(connection: &mut SqliteConnection) -> Result<Option<Owner>, Cause> {
    let row = sqlx::query("SELECT only_row AS id, caller, organization_id FROM owner")
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let columns = Columns::of("owner", &row)?;
        Ok(Owner {
            caller: columns.parsed("caller")?,
            organization: columns.get("organization_id")?,
        })
    })
    .transpose()
}

/// Who owns the store once this sweep has begun.
///
/// Between sweeps of an organization, one that cannot describe it (its permission was taken away,
/// or it was told not to ask) is admitted if its caller was seen before. A store that began with
/// one account becomes an organization's when that account turns out to be in it.
fn decide(
    owner: Option<&Owner>,
    header: &SweepHeader,
    is_known_caller: bool,
) -> Result<Owner, Refusal> {
    let present = Owner {
        caller: header.caller,
        organization: header.organization.as_ref().map(|it| it.id.clone()),
    };
    let Some(owner) = owner else {
        return Ok(present);
    };
    let belongs = match (&owner.organization, &header.organization) {
        (Some(owner), Some(organization)) => *owner == organization.id,
        (Some(_), None) => is_known_caller,
        (None, None) => owner.caller == header.caller,
        (None, Some(organization)) => {
            owner.caller == header.caller || owner.caller == organization.management_account
        }
    };
    if belongs {
        Ok(Owner {
            caller: owner.caller,
            organization: owner.organization.clone().or(present.organization),
        })
    } else {
        Err(Refusal {
            owner: owner.to_string(),
            sweep_of: present.to_string(),
        })
    }
}
