//! Choices of forms whose values have names in a standard.

/// An enum whose values have the names that the standard gives them, in forms and in what the store keeps.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$value_doc])* #[serde(rename = $text)] $value,)+
        }

        impl $name {
            /// All values, by name.
            pub const NAMES: &[&str] = &[$($text),+];

            /// The standard's name.
            pub fn name(self) -> &'static str {
                match self { $($name::$value => $text),+ }
            }

            /// The value of that name.
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($text => Some($name::$value),)+ _ => None }
            }
        }
    };
}

pub(crate) use choice;
