//! What a phone is answered, in the language of the command.

use super::parse::Language;
use Language::{Chinese, English};

/// What stands at the end of what goes on.
pub(super) fn goes_on(language: Language) -> &'static str {
    match language {
        English => "... (MORE)",
        Chinese => "…（更多）",
    }
}

/// One sentence.
pub(super) fn say(language: Language, sentence: Sentence) -> &'static str {
    let (english, chinese) = match sentence {
        Sentence::Help => (
            "Put your PIN in front: 123456 M. M: new messages. R 2: read number 2. MORE: go on. REPLY 2 text. TO 10007 text. WHO: \
             who is online. AWAY, BACK. STOP: hear nothing more.",
            "前面加PIN，如：123456 查信。查信；读2；更多；回复2 内容；发给10007 内容；谁在线；离开；回来；退订：不再接收。",
        ),
        Sentence::PinFirst => {
            ("Put your PIN in front, as in: 123456 M", "请在前面加上PIN，例如：123456 查信")
        }
        Sentence::NoPin => {
            ("Set a PIN for text messages in your settings first.", "请先在设置里为短信设定PIN。")
        }
        Sentence::WrongPin => ("This is not your PIN.", "PIN不对。"),
        Sentence::Locked => (
            "Too many wrong PINs: none is taken for a day, or until you set a new one.",
            "PIN错误太多：一天内不再受理，除非设定新的PIN。",
        ),
        Sentence::Unknown => {
            ("There is no such command. HELP says which there are.", "没有这个命令。发“帮助”查看。")
        }
        Sentence::NothingNew => ("Nothing new.", "没有新消息。"),
        Sentence::NoNumber => {
            ("There is no such number in the list. M shows it.", "列表里没有这个号码。发“查信”查看。")
        }
        Sentence::NothingMore => ("That is all.", "没有更多了。"),
        Sentence::Gone => ("These messages are there no more.", "这些消息已经不在了。"),
        Sentence::Sent => ("Sent.", "已发送。"),
        Sentence::NotSent => ("This could not be sent to them.", "没能发给对方。"),
        Sentence::Nobody => ("Nobody has this number or name.", "没有人用这个号码或名字。"),
        Sentence::NobodyOnline => ("None of your contacts is online.", "没有联系人在线。"),
        Sentence::Away => {
            ("You count as away from your devices. BACK ends that.", "现在视为您不在设备旁。发“回来”结束。")
        }
        Sentence::Back => ("Welcome back.", "欢迎回来。"),
        Sentence::NoRules => ("You have not set how you want to be reached.", "您还没有设定如何联系您。"),
    };
    match language {
        English => english,
        Chinese => chinese,
    }
}

/// Sentences of which there is nothing to fill in.
#[derive(Clone, Copy)]
pub(super) enum Sentence {
    Help,
    PinFirst,
    NoPin,
    WrongPin,
    Locked,
    Unknown,
    NothingNew,
    NoNumber,
    NothingMore,
    Gone,
    Sent,
    NotSent,
    Nobody,
    NobodyOnline,
    Away,
    Back,
    NoRules,
}

/// How many messages are unread.
pub(super) fn unread(language: Language, count: u64) -> String {
    match language {
        English => format!("{count} new."),
        Chinese => format!("{count}条新消息。"),
    }
}

/// Who is online.
pub(super) fn online(language: Language, names: &str) -> String {
    match language {
        English => format!("Online: {names}"),
        Chinese => format!("在线：{names}"),
    }
}
