//! Runs a case, sentence by sentence.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use minidom::Element;
use rookery_proto::sasl::client::Binding;
use rookery_proto::sasl::{ChannelBindings, Hash, Mechanism, TokenMechanism};

use super::mail::{self, MailLine};
use super::party::{Party, is_presence_from, listed, skip_presence};
use super::template::{Variables, fill};
use super::{Action, Case, Deed, PASSWORD, Target, Way, Who, parse};
use crate::client::{Client, Counters, Incoming, Resumption};
use crate::server::{COMPONENT_SECRET, TestOptions};
use crate::{clock, ns};

/// After so much virtual time the store's threads get some real time.
const STORE_WORKS: Duration = Duration::from_secs(3600);

/// Run one case against a target; the error says where it went wrong, what was expected and what came.
pub fn run(case: &Case, target: Target) -> Result<(), String> {
    run_by(case, target, Way::Stream)
}

/// The same, with clients that connect in this way where the dialogue does not say.
pub fn run_by(case: &Case, target: Target, way: Way) -> Result<(), String> {
    let at = Cell::new(0);
    let virtual_time = !matches!(target, Target::At { .. });
    let awaited = Rc::new(RefCell::new(String::new()));
    let mut play = Play {
        target,
        way,
        parties: BTreeMap::new(),
        lost: BTreeMap::new(),
        variables: Variables::new(),
        mail: None,
        programs: BTreeMap::new(),
        caller: None,
        smarthost: None,
        awaited: awaited.clone(),
    };
    let outcome = if virtual_time {
        clock::run(play.all(case, &at))
            .unwrap_or_else(|| Err(anyhow!("nothing more happened\n  missing: {}", awaited.borrow())))
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(play.all(case, &at))
    };
    outcome.map_err(|err| match case.steps.get(at.get()) {
        Some(step) => format!("{}:{}: {}\n{err:#}", case.path.display(), step.line, step.sentence),
        None => format!("{}: at the end\n{err:#}", case.path.display()),
    })
}

/// A case while it runs.
pub(super) struct Play {
    pub(super) target: Target,
    /// How the next connection is made.
    way: Way,
    pub(super) parties: BTreeMap<Who, Party>,
    /// The sessions of clients that were cut, to be resumed: the full JID and the books.
    lost: BTreeMap<Who, (String, Counters)>,
    pub(super) variables: Variables,
    /// The connection of a mail server that brings mail.
    pub(super) mail: Option<MailLine>,
    /// The connections of mail programs.
    pub(super) programs: BTreeMap<String, Option<MailLine>>,
    /// The connection of a caller that brings pages.
    pub(super) caller: Option<MailLine>,
    /// The connection of a mail that goes out.
    pub(super) smarthost: Option<MailLine>,
    /// What is being waited for, to be told if it never comes.
    awaited: Rc<RefCell<String>>,
}

impl Play {
    async fn all(&mut self, case: &Case, at: &Cell<usize>) -> Result<()> {
        let settings = match case.steps.first().map(|step| &step.action) {
            Some(Action::Server(settings)) => settings.iter().cloned().collect(),
            _ => Default::default(),
        };
        self.target.start(TestOptions { settings, ..TestOptions::default() }).await?;
        let outcome = self.steps(case, at).await;
        self.parties.clear();
        let cleaned = self.target.clean_up().await;
        outcome.and(cleaned)
    }

    async fn steps(&mut self, case: &Case, at: &Cell<usize>) -> Result<()> {
        for (index, step) in case.steps.iter().enumerate() {
            at.set(index);
            self.awaited.borrow_mut().clear();
            self.step(index, &step.action).await?;
        }
        at.set(case.steps.len());
        self.end_in_silence().await
    }

    async fn step(&mut self, index: usize, action: &Action) -> Result<()> {
        match action {
            Action::Server(_) if index == 0 => Ok(()),
            Action::Server(_) => bail!("the server's settings stand first"),
            Action::Accounts(names) => self.create_accounts(names).await,
            Action::Friends(one, other) => self.befriend(one, other).await,
            Action::Administrator(name) => self.target.ours()?.make_administrator(name).await,
            Action::Code(key, code) => {
                let made = self.target.ours()?.code(self.variables.get(key).context("no such key")?)?;
                self.variables.insert(code.clone(), made);
                Ok(())
            }
            Action::Duty { name, people, minutes } => {
                self.target.ours()?.set_duty(name, people, *minutes).await
            }
            Action::TimePasses(time) => self.time_passes(*time).await,
            Action::Restart(ending, away) => self.target.restart(*ending, *away).await,
            Action::Deletes(account) => self.target.ours()?.delete_account(account).await,
            Action::Invites { token, settings } => {
                let made = self.target.ours()?.invite(settings).await?;
                self.variables.insert(token.clone(), made);
                Ok(())
            }
            Action::Store(fault) => self.target.set_store_fault(*fault),
            Action::RestIgnored => self.ignore_the_rest().await,
            Action::Subscription(name) => {
                for (key, value) in self.target.ours()?.browsers.subscription(name)? {
                    self.variables.insert(format!("{name}.{key}"), value);
                }
                Ok(())
            }
            Action::IsTold(name, told) => {
                let told = fill(told, &self.variables)?;
                self.target.ours()?.browsers.is_told(name, &told).await
            }
            Action::IsPostedTo(name) => self.target.ours()?.browsers.post(name).await.map(drop),
            Action::IsPostedNothing(name) => {
                clock::settle().await;
                self.target.ours()?.browsers.expect_no_post(name)
            }
            Action::PushService(answer) => {
                self.target.ours()?.browsers.set_answer(answer.clone());
                Ok(())
            }
            Action::SmscIs(mood) => {
                self.target.ours()?.smsc.set_mood(*mood);
                Ok(())
            }
            Action::SmscIsHanded(handed) => self.smsc_is_handed(handed).await,
            Action::SmscIsHandedNothing => {
                clock::settle().await;
                self.target.ours()?.smsc.expect_nothing()
            }
            Action::SmscSays(stat) => self.target.ours()?.smsc.says(stat).await,
            Action::SmscBringsAtOnce(block) => self.smsc_brings_at_once(block).await,
            Action::SmscHangsUp => {
                self.target.ours()?.smsc.hang_up();
                clock::settle().await;
                Ok(())
            }
            Action::SmscBrings(block, taken) => match (self.smsc_brings(block).await, *taken) {
                (Ok(()), false) => bail!("it was taken"),
                (Err(_), false) => Ok(()),
                (brought, true) => brought,
            },
            Action::ProviderIs(answer) => {
                self.target.ours()?.provider.set_answer(answer.clone());
                Ok(())
            }
            Action::ProviderIsAsked(asked) => self.provider_is_asked(asked).await,
            Action::ProviderIsAskedNothing => {
                clock::settle().await;
                self.target.ours()?.provider.expect_nothing()
            }
            Action::ProviderPosts { body, forged, status } => {
                self.provider_posts(body, *forged, *status).await
            }
            Action::CarrierIs(way, mood) => {
                self.target.ours()?.carrier(*way)?.set_mood(*mood);
                Ok(())
            }
            Action::CarrierIsHanded(way, handed) => self.carrier_is_handed(*way, handed).await,
            Action::CarrierIsHandedNothing(way) => {
                clock::settle().await;
                self.target.ours()?.carrier(*way)?.expect_nothing()
            }
            Action::CarrierSays(way, state) => self.carrier_says(*way, *state).await,
            Action::AnswersBy(address, way, text) => self.answers_by(address, *way, text).await,
            Action::MailServerConnects => self.mail_server_connects(),
            Action::FrontServerConnects => self.front_server_connects(),
            Action::MailServerSpeaks(spoken) => {
                mail::speak(&mut self.mail, spoken, &mut self.variables).await
            }
            Action::MailProgramConnects(name, afar) => self.mail_program_connects(name, *afar),
            Action::MailProgramSends(name, afar) => self.mail_program_sends(name, *afar),
            Action::MailProgramSpeaks(name, spoken) => {
                let line = self.programs.entry(name.clone()).or_default();
                mail::speak(line, spoken, &mut self.variables).await
            }
            Action::CallerConnects => self.caller_connects(),
            Action::CallerSpeaks(spoken) => mail::speak(&mut self.caller, spoken, &mut self.variables).await,
            Action::MailGoesOut => self.mail_goes_out().await,
            Action::NoMailGoesOut => self.no_mail_goes_out().await,
            Action::SmarthostSpeaks(spoken) => {
                mail::speak(&mut self.smarthost, spoken, &mut self.variables).await
            }
            Action::Client(who, deed) => self.deed(who, deed).await,
        }
    }

    /// In steps, and everybody answers when the server asks whether they are still there.
    async fn time_passes(&mut self, mut time: Duration) -> Result<()> {
        let mut since = Duration::ZERO;
        while !time.is_zero() {
            let step = time.min(clock::STEP);
            clock::pass(step).await;
            time -= step;
            since += step;
            for party in self.parties.values_mut() {
                party.keep_alive().await?;
            }
            if since >= STORE_WORKS {
                since = Duration::ZERO;
                self.target.ours()?.let_the_store_work().await;
            }
        }
        Ok(())
    }

    async fn create_accounts(&mut self, names: &[String]) -> Result<()> {
        for name in names {
            if let Some(number) = self.target.create_account(name).await? {
                self.variables.insert(format!("{name}.number"), number.to_string());
            }
        }
        Ok(())
    }

    async fn deed(&mut self, who: &Who, deed: &Deed) -> Result<()> {
        match deed {
            Deed::By(way, deed) => {
                let usual = std::mem::replace(&mut self.way, *way);
                let outcome = Box::pin(self.deed(who, deed)).await;
                self.way = usual;
                outcome
            }
            Deed::Connects { available } => self.connects(who, *available).await,
            Deed::Wants(nodes) => self.wants(who, nodes).await,
            Deed::OpensConnection => self.opens_connection(who).await,
            Deed::OpensStream(header) => self.opens_stream(who, header.as_deref()).await,
            Deed::SignsIn => {
                let client = self.signed_in(who).await?;
                self.join(who, client)
            }
            Deed::SignsInWith(mechanism) => {
                let client = self.signed_in_with(who, *mechanism).await?;
                self.join(who, client)
            }
            Deed::SignsInWith2(asking) => self.signs_in_with_2(who, None, asking.as_deref()).await,
            Deed::SignsInWithToken { token, asking } => {
                self.signs_in_with_2(who, Some(token), asking.as_deref()).await
            }
            Deed::ResumesWith2 => self.resumes_with_2(who).await,
            Deed::Sends(xml) => {
                let xml = fill(xml, &self.variables)?;
                let client = &mut self.party(who)?.client;
                for element in parse::texts(&xml)? {
                    client.send_raw(element).await?;
                }
                Ok(())
            }
            Deed::SendsRaw(text) => {
                let text = fill(text, &self.variables)?;
                self.party(who)?.client.send_uncounted(&text).await
            }
            Deed::Receives(xml) => self.receives(who, xml).await,
            Deed::ReceivesInAnyOrder(xml) => self.receives_in_any_order(who, xml).await,
            Deed::DoesNotReceive(xml) => self.does_not_receive(who, xml).await,
            Deed::ReceivesNothing => {
                self.sync_all(who).await?;
                self.party(who)?.expect_silence()
            }
            Deed::Settles => {
                self.sync_all(who).await?;
                self.party(who)?.client.inbox().clear();
                Ok(())
            }
            Deed::SeesFooter | Deed::SeesEnd => self.sees_end(who, *deed == Deed::SeesFooter).await,
            Deed::RunsCommand { name, fields } => {
                let filled =
                    |(var, value): &(String, String)| Ok((var.clone(), fill(value, &self.variables)?));
                let fields = fields.iter().map(filled).collect::<Result<Vec<_>>>()?;
                let party = self.parties.get_mut(who).with_context(|| format!("{who} is not there"))?;
                self.target.patiently(party.client.run_command(name, &fields)).await
            }
            Deed::MakesRoom { room, nick, fields } => self.makes_room(who, room, nick, fields).await,
            Deed::EntersRoom { room, nick } => self.enters_room(who, room, nick).await,
            Deed::Disconnects => self.disconnects(who).await,
            Deed::ClosesStream => {
                let party = self.party(who)?;
                party.ended = true;
                party.client.close().await
            }
            Deed::IsCut => self.is_cut(who).await,
            Deed::EnablesSm { by_hand } => {
                let party = self.party(who)?;
                party.client.enable_sm().await?;
                if *by_hand {
                    party.go_by_hand();
                }
                Ok(())
            }
            Deed::Resumes => match self.resume(who).await? {
                Resumption::Resumed => Ok(()),
                Resumption::Failed(_) => bail!("the server refused to resume"),
            },
            Deed::ResumesInVain => match self.resume(who).await? {
                Resumption::Resumed => bail!("the server resumed the session"),
                Resumption::Failed(_) => Ok(()),
            },
        }
    }

    // ---- coming and going ----------------------------------------------------------------------------------

    async fn signed_in(&self, who: &Who) -> Result<Client> {
        self.signed_in_with(who, Mechanism::Plain).await
    }

    async fn signed_in_with(&self, who: &Who, mechanism: Mechanism) -> Result<Client> {
        let mut client = self.target.connect(self.way).await?;
        self.target
            .patiently(async {
                client.open_for_features().await?;
                client.authenticate_with(mechanism, &who.account, PASSWORD, Binding::Unsupported).await
            })
            .await?;
        Ok(client)
    }

    /// What the server says in the end comes next to be received.
    async fn signs_in_with_2(&mut self, who: &Who, token: Option<&str>, asking: Option<&str>) -> Result<()> {
        let asking = fill(asking.unwrap_or_default(), &self.variables)?;
        let token = token.map(|token| fill(token, &self.variables)).transpose()?;
        let mut client = self.target.connect(self.way).await?;
        if let Some((jid, counters)) = self.lost.remove(who).filter(|_| asking.contains("<resume ")) {
            client.restore(&jid, counters);
        }
        let answer = self.target.patiently(enter(&mut client, who, token.as_deref(), &asking)).await?;
        client.inbox().push_front(Incoming::Element(answer));
        self.join(who, client)
    }

    async fn resumes_with_2(&mut self, who: &Who) -> Result<()> {
        self.parties.remove(who);
        let (jid, counters) = self.lost.remove(who).context("no session that could be resumed")?;
        let mut client = self.target.connect(self.way).await?;
        client.restore(&jid, counters);
        let asking = client.resume_request()?;
        let answer = self.target.patiently(enter(&mut client, who, None, &asking)).await?;
        if !answer.has_child("resumed", ns::SM) {
            bail!("the server refused to resume: {}", String::from(&answer));
        }
        self.target.patiently(client.features()).await?;
        self.join(who, client)
    }

    async fn connects(&mut self, who: &Who, available: Option<i8>) -> Result<()> {
        if let Some(host) = who.component() {
            let mut client = self.target.connect_component(host)?;
            self.target.patiently(client.handshake(COMPONENT_SECRET)).await?;
            return self.join(who, client);
        }
        let mut client = self.signed_in(who).await?;
        let jid = self.target.patiently(client.bind(Some(&who.resource))).await?;
        self.join(who, client)?;
        let Some(priority) = available else { return Ok(()) };
        let presence = match priority {
            0 => "<presence/>".to_owned(),
            _ => format!("<presence><priority>{priority}</priority></presence>"),
        };
        self.party(who)?.client.send_raw(&presence).await?;
        self.sync_all(who).await?;
        self.party(who)?.client.inbox().retain(skip_presence);
        self.sync_everyone_else(who).await?;
        self.forget(|incoming| is_presence_from(incoming, &jid, None));
        Ok(())
    }

    /// The hash is none that proves anything: the server asks each session, and what one says is its own.
    async fn wants(&mut self, who: &Who, nodes: &[String]) -> Result<()> {
        let (caps, info) = (ns::CAPS, ns::DISCO_INFO);
        let ver = nodes.join(" ");
        let presence =
            format!("<presence><c xmlns='{caps}' node='urn:rookery:test' ver='{ver}'/></presence>");
        let client = &mut self.party(who)?.client;
        let jid = client.jid().context("no resource is bound")?.to_owned();
        client.send_raw(&presence).await?;
        self.sync_all(who).await?;
        let client = &mut self.party(who)?.client;
        let is_question =
            |element: &Element| element.attr("type") == Some("get") && element.has_child("query", info);
        let at = client.inbox().iter().position(|i| matches!(i, Incoming::Element(e) if is_question(e)));
        let Some(Incoming::Element(question)) = at.and_then(|at| client.inbox().remove(at)) else {
            bail!("the server did not ask for the capabilities");
        };
        let (id, to) = (question.attr("id").unwrap_or_default(), question.attr("from").unwrap_or_default());
        let features: String = nodes.iter().map(|node| format!("<feature var='{node}+notify'/>")).collect();
        let answer =
            format!("<iq type='result' id='{id}' to='{to}'><query xmlns='{info}'>{features}</query></iq>");
        client.send_raw(&answer).await?;
        self.sync_all(who).await?;
        self.sync_everyone_else(who).await?;
        self.party(who)?.client.inbox().retain(skip_presence);
        self.forget(|incoming| is_presence_from(incoming, &jid, None));
        Ok(())
    }

    async fn disconnects(&mut self, who: &Who) -> Result<()> {
        let mut party = self.parties.remove(who).with_context(|| format!("{who} is not there"))?;
        let jid = party.client.jid().context("no resource is bound")?.to_owned();
        party.client.send_raw("<presence type='unavailable'/>").await?;
        party.client.sync().await?;
        party.client.close().await?;
        self.sync_everyone_else(who).await?;
        self.forget(|incoming| is_presence_from(incoming, &jid, Some("unavailable")));
        Ok(())
    }

    async fn is_cut(&mut self, who: &Who) -> Result<()> {
        let party = self.parties.remove(who).with_context(|| format!("{who} is not there"))?;
        let unnoticed = party.client.is_cut_unnoticed();
        if let Some(jid) = party.client.jid().map(str::to_owned)
            && let Some(counters) = party.client.into_counters()
        {
            self.lost.insert(who.clone(), (jid, counters));
        }
        clock::settle().await;
        // The server lets the last request wait, and waits for the next, as long as it has told.
        if unnoticed { self.time_passes(Duration::from_secs(120)).await } else { Ok(()) }
    }

    async fn resume(&mut self, who: &Who) -> Result<Resumption> {
        self.parties.remove(who);
        let (jid, counters) = self.lost.remove(who).context("no session that could be resumed")?;
        let mut client = self.signed_in(who).await?;
        client.restore(&jid, counters);
        let outcome = self.target.patiently(client.resume()).await?;
        self.join(who, client)?;
        Ok(outcome)
    }

    async fn opens_connection(&mut self, who: &Who) -> Result<()> {
        let client = match who.component() {
            Some(host) => self.target.connect_component(host)?,
            None => self.target.connect(self.way).await?,
        };
        self.join(who, client)
    }

    async fn opens_stream(&mut self, who: &Who, header: Option<&str>) -> Result<()> {
        if !self.parties.contains_key(who) {
            self.opens_connection(who).await?;
        }
        let client = &mut self.parties.get_mut(who).expect("it has just been made").client;
        let header = header.map(|header| fill(header, &self.variables)).transpose()?;
        let opened = async {
            match header {
                Some(header) => client.open_with(&header).await,
                None => client.open().await,
            }
        };
        self.target.patiently(opened).await.map(drop)
    }

    fn join(&mut self, who: &Who, client: Client) -> Result<()> {
        match self.parties.insert(who.clone(), Party::new(client)) {
            None => Ok(()),
            // A bound client that is replaced by a second one of its name would silently be cut.
            Some(_) => bail!("{who} is already there"),
        }
    }

    pub(super) fn party(&mut self, who: &Who) -> Result<&mut Party> {
        self.parties.get_mut(who).with_context(|| format!("{who} is not there"))
    }

    /// Both accept each other, with two resources that come and go for it (RFC 6121 §3.1).
    async fn befriend(&mut self, one: &str, other: &str) -> Result<()> {
        let who = |account: &str| Who { account: account.to_owned(), resource: "handshake".to_owned() };
        let (mut first, mut second) = (self.signed_in(&who(one)).await?, self.signed_in(&who(other)).await?);
        for client in [&mut first, &mut second] {
            client.bind(Some("handshake")).await?;
        }
        let (one, other) = (jid(one), jid(other));
        first.send_raw(&format!("<presence to='{other}' type='subscribe'/>")).await?;
        first.sync().await?;
        second.send_raw(&format!("<presence to='{one}' type='subscribed'/>")).await?;
        second.send_raw(&format!("<presence to='{one}' type='subscribe'/>")).await?;
        second.sync().await?;
        first.send_raw(&format!("<presence to='{other}' type='subscribed'/>")).await?;
        first.sync().await?;
        for (client, contact) in [(&mut first, &other), (&mut second, &one)] {
            let roster = client.roster().await?;
            let item = roster.iter().find(|item| item.attr("jid") == Some(contact));
            if item.and_then(|item| item.attr("subscription")) != Some("both") {
                bail!("the handshake did not make them friends: {item:?}");
            }
            client.close().await?;
        }
        clock::settle().await;
        Ok(())
    }

    // ---- receiving -----------------------------------------------------------------------------------------

    async fn receives(&mut self, who: &Who, xml: &str) -> Result<()> {
        for pattern in parse::elements(xml)? {
            let party = self.parties.get_mut(who).with_context(|| format!("{who} is not there"))?;
            *self.awaited.borrow_mut() = listed(&[&pattern]);
            let element = self.target.patiently(party.next_element(&[&pattern])).await?;
            party.compare(&pattern, &element, &mut self.variables)?;
        }
        Ok(())
    }

    async fn receives_in_any_order(&mut self, who: &Who, xml: &str) -> Result<()> {
        let mut patterns = parse::elements(xml)?;
        while !patterns.is_empty() {
            let party = self.parties.get_mut(who).with_context(|| format!("{who} is not there"))?;
            let wanted: Vec<_> = patterns.iter().collect();
            *self.awaited.borrow_mut() = listed(&wanted);
            let element = self.target.patiently(party.next_element(&wanted)).await?;
            let found = party.find(&patterns, &element, &mut self.variables)?;
            patterns.remove(found);
        }
        Ok(())
    }

    async fn does_not_receive(&mut self, who: &Who, xml: &str) -> Result<()> {
        self.sync_all(who).await?;
        let patterns = parse::elements(xml)?;
        let party = self.parties.get_mut(who).with_context(|| format!("{who} is not there"))?;
        party.expect_none_of(&patterns, &self.variables)
    }

    async fn sees_end(&mut self, who: &Who, footer: bool) -> Result<()> {
        let party = self.parties.get_mut(who).with_context(|| format!("{who} is not there"))?;
        let mut seen = self.target.patiently(party.client.next()).await?;
        if seen == Incoming::Footer && !footer {
            seen = self.target.patiently(party.client.next()).await?;
        }
        if seen != if footer { Incoming::Footer } else { Incoming::End } {
            bail!("it is not the end: {seen:?}");
        }
        party.ended = true;
        Ok(())
    }

    /// Let the server handle all that everybody has sent, and bring what that caused to everybody, `who` last.
    async fn sync_all(&mut self, who: &Who) -> Result<()> {
        self.sync_everyone_else(who).await?;
        let party = self.parties.get_mut(who).with_context(|| format!("{who} is not there"))?;
        if !party.can_ping() {
            bail!("only a client with a bound resource can prove that nothing came");
        }
        self.target.patiently(party.client.sync()).await
    }

    pub(super) async fn sync_everyone_else(&mut self, who: &Who) -> Result<()> {
        for (_, party) in
            self.parties.iter_mut().filter(|(other, party)| *other != who && party.can_ping_freely())
        {
            self.target.patiently(party.client.sync()).await?;
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, what: impl Fn(&Incoming) -> bool) {
        for party in self.parties.values_mut() {
            party.client.inbox().retain(|incoming| !what(incoming));
        }
    }

    async fn ignore_the_rest(&mut self) -> Result<()> {
        self.sync_twice().await?;
        self.forget(|_| true);
        Ok(())
    }

    /// What arrived and was not mentioned fails the dialogue.
    async fn end_in_silence(&mut self) -> Result<()> {
        self.sync_twice().await?;
        for (who, party) in &mut self.parties {
            party.expect_silence().with_context(|| format!("{who} received what nobody mentioned"))?;
        }
        Ok(())
    }

    /// Once for what everybody has sent, and once more for what that brought to those who were asked first.
    async fn sync_twice(&mut self) -> Result<()> {
        for _ in 0..2 {
            for (who, party) in self.parties.iter_mut().filter(|(_, party)| party.can_ping_freely()) {
                self.target
                    .patiently(party.client.sync())
                    .await
                    .with_context(|| format!("{who} at the end"))?;
            }
        }
        Ok(())
    }
}

/// A stream as the account, and authentication by the newer profile; gives the server's last word on it.
async fn enter(client: &mut Client, who: &Who, token: Option<&str>, asking: &str) -> Result<Element> {
    client.open_as(&who.account).await?;
    match token {
        Some(token) => {
            let mechanism = TokenMechanism::Unbound;
            client.sasl2_token(mechanism, &who.account, token, &ChannelBindings::default(), asking).await
        }
        None => {
            let mechanism = Mechanism::Scram { hash: Hash::Sha256, plus: false };
            client.sasl2(mechanism, &who.account, PASSWORD, Binding::Unsupported, asking).await
        }
    }
}

fn jid(account: &str) -> String {
    format!("{account}@{}", Target::DOMAIN)
}
