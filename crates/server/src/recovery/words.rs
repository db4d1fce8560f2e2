//! What the letter says.

use rookery_gateway::mail::letter::Part;

/// A language that letters are written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

impl Language {
    /// The language of a tag (RFC 5646); English for those that no letter is written in.
    pub fn of(tag: &str) -> Language {
        match tag.split('-').next() {
            Some(primary) if primary.eq_ignore_ascii_case("zh") => Language::Chinese,
            _ => Language::English,
        }
    }

    /// Its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }
}

pub(super) fn subject(language: Language, domain: &str) -> String {
    match language {
        Language::English => format!("A new password for {domain}"),
        Language::Chinese => format!("重设 {domain} 的密码"),
    }
}

/// The letter to the owner of the account at `address`.
pub(super) fn parts(language: Language, address: &str, url: String) -> [Part; 3] {
    let (words, label, aside) = match language {
        Language::English => (
            format!("Somebody asked for a new password for {address}. With this link you choose one:"),
            "Choose a new password",
            "The link is good once, for one hour, and only until you ask for another. If it was not you who asked, do nothing: \
             your password stays as it is.",
        ),
        Language::Chinese => (
            format!("有人申请重设 {address} 的密码。点开下面的链接即可设置新密码："),
            "设置新密码",
            "链接一小时内有效，只能使用一次；重新申请后旧链接失效。如果不是你本人申请的，不必理会，密码不会改变。",
        ),
    };
    [Part::Words(words), Part::Link { label: label.into(), url }, Part::Aside(aside.into())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_go_by_their_tags() {
        for (tag, language) in
            [("en", Language::English), ("zh", Language::Chinese), ("ZH-Hans", Language::Chinese)]
        {
            assert_eq!(Language::of(tag), language, "{tag}");
        }
        assert_eq!(Language::of("de"), Language::English, "it is read by most");
    }
}
