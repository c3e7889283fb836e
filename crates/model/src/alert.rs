//! An alert: drifts of one cause, told to people.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ContentHash, InvalidValue};

/// The name of an alert: the same drifts of the same sweep make the same alert, however often they are
/// looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AlertId([u8; 8]);

impl AlertId {
    /// The name of an alert, by what its drifts have in common.
    pub fn of(in_common: &impl Serialize) -> Self {
        let hash = ContentHash::of(in_common);
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        Self(id)
    }
}

impl FromStr for AlertId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| InvalidValue::new("alert id", text, "16 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for AlertId {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AlertId> for String {
    fn from(id: AlertId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The word as it is written in reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What a notice says of its alert.
    NoticeForm {
        /// It began.
        Opened = "opened",
        /// It still lasts.
        Reminder = "reminder",
        /// It is over.
        Recovered = "recovered",
        /// Nothing: somebody wanted to see whether the channel works.
        Test = "test",
    }
}

words! {
    /// What has to be well again before an alert ends.
    LastsWhile {
        /// As long as one of its findings fails, or cannot be seen since it failed.
        Broken = "broken",
        /// As long as one of its findings cannot be seen.
        Unseen = "unseen",
    }
}

words! {
    /// How far the delivery of a notice to a channel is.
    DeliveryState {
        /// It is on its way.
        Pending = "pending",
        /// The channel took it.
        Delivered = "delivered",
        /// It was given up; somebody may send it again.
        Dead = "dead",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_from_what_is_in_common_and_is_read_back() {
        let id = AlertId::of(&("verdict-changed", 7));
        assert_eq!(id, AlertId::of(&("verdict-changed", 7)));
        assert_ne!(id, AlertId::of(&("verdict-changed", 8)));
        assert_eq!(id.to_string().len(), 16);
        assert_eq!(id.to_string().parse::<AlertId>().unwrap(), id);
        assert!("x".parse::<AlertId>().is_err());
    }

    #[test]
    fn words_are_those_of_the_reports() {
        assert_eq!(
            serde_json::to_value(NoticeForm::Recovered).unwrap(),
            NoticeForm::Recovered.as_str()
        );
        assert_eq!(
            serde_json::to_value(LastsWhile::Unseen).unwrap(),
            LastsWhile::Unseen.as_str()
        );
        assert_eq!(
            serde_json::to_value(DeliveryState::Dead).unwrap(),
            DeliveryState::Dead.as_str()
        );
    }
}
