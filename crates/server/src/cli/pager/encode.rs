//! `rookery pager encode`

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use rookery_gateway::pager::pocsag::{self, Alphabet, Content, Function, Page, Rate, Ric};

/// Bytes of a list of pages: far more than fit into one transmission.
const LIST_BYTES: u64 = 1 << 20;

#[derive(Args)]
pub(in crate::cli) struct Encode {
    /// The pager's address (RIC, capcode)
    #[arg(long, required_unless_present = "pages")]
    ric: Option<u32>,
    /// Bits in a second: 512, 1200 or 2400
    #[arg(long, default_value_t = 1200)]
    rate: u32,
    #[command(flatten)]
    says: Says,
    /// The sub-address: a pager may sound otherwise for each [default: d for texts, a for digits and tones]
    #[arg(long, value_enum, ignore_case = true)]
    function: Option<SubAddress>,
    /// The most signs that the pager shows: longer texts become several pages
    #[arg(long, default_value_t = 80)]
    length: usize,
    /// How often each page is sent
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    times: u8,
    /// Write Ä, Ö, Ü and ß as pagers for German show them (DIN 66003)
    #[arg(long)]
    german: bool,
    #[command(flatten)]
    to: Output,
}

/// What the pages say.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Says {
    /// A text
    #[arg(long)]
    text: Option<String>,
    /// Digits, for pagers that show nothing else
    #[arg(long)]
    numeric: Option<String>,
    /// Nothing: the pager sounds
    #[arg(long)]
    tone: bool,
    /// Many pages in one transmission: lines of RIC, `t` or `n`, and what it says, from a file or from standard input (-)
    #[arg(long, value_name = "FILE", conflicts_with = "ric")]
    pages: Option<PathBuf>,
}

/// Where they go.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Output {
    /// Write a file of sound
    #[arg(long, value_name = "FILE")]
    wav: Option<PathBuf>,
    /// Write samples to standard output: 16 bits with a sign, little end first
    #[arg(long)]
    raw: bool,
    /// Write the bits to standard output, as digits
    #[arg(long)]
    bits: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum SubAddress {
    A,
    B,
    C,
    D,
}

impl From<SubAddress> for Function {
    fn from(letter: SubAddress) -> Function {
        match letter {
            SubAddress::A => Function::A,
            SubAddress::B => Function::B,
            SubAddress::C => Function::C,
            SubAddress::D => Function::D,
        }
    }
}

impl Encode {
    pub(in crate::cli) fn run(self) -> Result<()> {
        let rate = Rate::new(self.rate).context("Pagers know 512, 1200 and 2400 bits in a second.")?;
        let pages = self.asked()?;
        let (words, taken) = pocsag::transmission(&pages);
        if taken < pages.len() {
            bail!("One transmission has at most {} pages; these are more.", pocsag::PAGES);
        }
        let samples = || pocsag::samples(&words, rate);
        let out = if let Some(path) = &self.to.wav {
            let failed = || format!("{} cannot be written", path.display());
            File::create(path)
                .and_then(|mut file| file.write_all(&pocsag::wav(&samples())))
                .with_context(failed)?;
            return Ok(());
        } else if self.to.raw {
            samples().iter().flat_map(|sample| sample.to_le_bytes()).collect()
        } else {
            let digits = pocsag::bits(&words).map(|bit| b'0' + u8::from(bit));
            digits.chain(*b"\n").collect::<Vec<u8>>()
        };
        let mut to = io::stdout().lock();
        to.write_all(&out)?;
        Ok(to.flush()?)
    }

    /// The pages that are asked for.
    fn asked(&self) -> Result<Vec<Page>> {
        if let Some(path) = &self.says.pages {
            let from: Box<dyn Read> = match path.as_os_str() == "-" {
                true => Box::new(io::stdin()),
                false => {
                    Box::new(File::open(path).with_context(|| format!("{} cannot be read", path.display()))?)
                }
            };
            let mut list = String::new();
            from.take(LIST_BYTES).read_to_string(&mut list).context("The list of pages cannot be read")?;
            return list.lines().filter(|line| !line.is_empty()).map(|line| self.line(line)).collect();
        }
        let content = match (&self.says.text, &self.says.numeric) {
            (Some(text), _) => self.text(text),
            (None, Some(digits)) => Content::Numeric(digits.clone()),
            (None, None) => Content::Tone,
        };
        Ok(vec![self.page(self.ric.unwrap_or_default(), content)?])
    }

    fn line(&self, line: &str) -> Result<Page> {
        let mut fields = line.splitn(3, ' ');
        let (ric, kind, says) = (fields.next(), fields.next(), fields.next().unwrap_or_default());
        let ric = ric.and_then(|ric| ric.parse().ok()).with_context(|| format!("“{line}” has no RIC"))?;
        let content = match kind {
            Some("t") => self.text(says),
            Some("n") => Content::Numeric(says.to_owned()),
            _ => bail!("“{line}” says neither `t` nor `n` behind the RIC"),
        };
        self.page(ric, content)
    }

    fn text(&self, text: &str) -> Content {
        let alphabet = if self.german { Alphabet::German } else { Alphabet::International };
        Content::Text(text.to_owned(), alphabet)
    }

    fn page(&self, ric: u32, content: Content) -> Result<Page> {
        let ric = Ric::new(ric).with_context(|| format!("No pager can have the address {ric}"))?;
        let usual = if matches!(content, Content::Text(..)) { Function::D } else { Function::A };
        let function = self.function.map_or(usual, Function::from);
        Ok(Page { ric, function, content, length: self.length, times: self.times })
    }
}
