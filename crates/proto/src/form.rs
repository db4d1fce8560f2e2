//! XEP-0004: Data Forms. A [`Form`] is described once: it is written from its description, and what comes back is
//! checked against it.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::error::StanzaError;
use crate::jid::Jid;
use crate::ns;
use crate::stanza::Child;
use crate::xml::Xml;

/// Fields that a submitted form may have: far more than any form that people fill in.
pub const FIELDS: usize = 256;

/// Values of one submitted field: lines of a text, addresses of a list.
pub const VALUES: usize = 1_024;

/// What a field holds (§3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A text that is only shown.
    Fixed,
    /// Not shown, and sent back as it is.
    Hidden,
    /// Addresses.
    JidMulti,
    /// An address.
    JidSingle,
    /// Some of the options.
    ListMulti,
    /// One of the options.
    ListSingle,
    /// Lines.
    TextMulti,
    /// A line that nobody else may see.
    TextPrivate,
    /// A line.
    TextSingle,
}

impl Kind {
    /// The value of the `type` attribute.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Boolean => "boolean",
            Kind::Fixed => "fixed",
            Kind::Hidden => "hidden",
            Kind::JidMulti => "jid-multi",
            Kind::JidSingle => "jid-single",
            Kind::ListMulti => "list-multi",
            Kind::ListSingle => "list-single",
            Kind::TextMulti => "text-multi",
            Kind::TextPrivate => "text-private",
            Kind::TextSingle => "text-single",
        }
    }

    fn is_multi(self) -> bool {
        matches!(self, Kind::JidMulti | Kind::ListMulti | Kind::TextMulti)
    }

    fn is_list(self) -> bool {
        matches!(self, Kind::ListSingle | Kind::ListMulti)
    }
}

/// A field of a form, or a column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    var: Cow<'static, str>,
    kind: Kind,
    label: Cow<'static, str>,
    required: bool,
    open: bool,
    range: Option<RangeInclusive<u32>>,
    values: Vec<String>,
    options: Vec<(Cow<'static, str>, String)>,
}

impl Field {
    /// A field called `var`, that people see under `label`; an empty one is left out.
    pub fn new(kind: Kind, var: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Field {
        let (var, label) = (var.into(), label.into());
        Field {
            var,
            kind,
            label,
            required: false,
            open: false,
            range: None,
            values: Vec::new(),
            options: Vec::new(),
        }
    }

    /// It must be filled in.
    pub fn required(mut self) -> Field {
        self.required = true;
        self
    }

    /// A value that it has already.
    pub fn value(mut self, value: impl Into<String>) -> Field {
        self.values.push(value.into());
        self
    }

    /// The values that it has already.
    pub fn values(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Field {
        self.values.extend(values.into_iter().map(Into::into));
        self
    }

    /// Whether it is ticked already.
    pub fn ticked(self, ticked: bool) -> Field {
        self.value(if ticked { "true" } else { "false" })
    }

    /// One of the values to choose from.
    pub fn option(mut self, label: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Field {
        self.options.push((label.into(), value.into()));
        self
    }

    /// Any value may be given, not only one of the options (XEP-0122 §4.2.2).
    pub fn open(mut self) -> Field {
        self.open = true;
        self
    }

    /// A whole number of this range (XEP-0122 §4.2.3).
    pub fn whole(mut self, range: RangeInclusive<u32>) -> Field {
        self.range = Some(range);
        self
    }

    fn write(&self, x: &mut Xml) {
        x.open("field").attr("type", self.kind.name()).attr("var", &self.var);
        x.opt("label", Some(&self.label).filter(|label| !label.is_empty()));
        if self.open {
            x.open_ns("validate", ns::VALIDATE).attr("datatype", "xs:string").leaf("open").close();
        }
        if let Some(range) = &self.range {
            x.open_ns("validate", ns::VALIDATE).attr("datatype", "xs:integer");
            x.open("range").attr("min", &range.start().to_string()).attr("max", &range.end().to_string());
            x.close().close();
        }
        for value in &self.values {
            x.text_element("value", value);
        }
        for (label, value) in &self.options {
            x.open("option").attr("label", label).text_element("value", value).close();
        }
        if self.required {
            x.leaf("required");
        }
        x.close();
    }

    /// Whether this is what the field can hold (§3.3).
    fn check(&self, values: &[String]) -> Result<(), Wrong> {
        let name = if self.label.is_empty() { &self.var } else { &self.label };
        let given: Vec<&str> = values.iter().map(String::as_str).filter(|value| !value.is_empty()).collect();
        if self.required && given.is_empty() {
            return Err(Wrong(format!("This must be filled in: {name}")));
        }
        if given.len() > 1 && !self.kind.is_multi() {
            return Err(Wrong(format!("This has one value only: {name}")));
        }
        let fits = |value: &str| match self.kind {
            Kind::Boolean => boolean(value).is_some(),
            Kind::JidSingle | Kind::JidMulti => Jid::new(value).is_ok(),
            _ if self.range.is_some() => {
                let number = value.trim().parse().ok();
                number.is_some_and(|number| self.range.as_ref().is_some_and(|range| range.contains(&number)))
            }
            kind if kind.is_list() && !self.open => self.options.iter().any(|(_, option)| option == value),
            _ => true,
        };
        match given.into_iter().find(|value| !fits(value)) {
            Some(value) => Err(Wrong(format!("This cannot be the value of \"{name}\": {value}"))),
            None => Ok(()),
        }
    }
}

/// What a form is written for (§3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To be filled in.
    Form,
    /// To be read.
    Result,
}

/// A form, or a result with perhaps a table (§3.4).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Form {
    form_type: Option<&'static str>,
    title: Cow<'static, str>,
    instructions: Cow<'static, str>,
    fields: Vec<Field>,
    columns: Vec<Field>,
    rows: Vec<Vec<String>>,
}

impl Form {
    /// An empty form of this type (XEP-0068).
    pub fn new(form_type: &'static str) -> Form {
        Form { form_type: Some(form_type), ..Form::default() }
    }

    /// An empty form of no known type.
    pub fn untyped() -> Form {
        Form::default()
    }

    /// What it is called.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Form {
        self.title = title.into();
        self
    }

    /// What is to be done with it.
    pub fn instructions(mut self, text: impl Into<Cow<'static, str>>) -> Form {
        self.instructions = text.into();
        self
    }

    /// One more field.
    pub fn field(mut self, field: Field) -> Form {
        self.fields.push(field);
        self
    }

    /// A table with these columns.
    pub fn table(mut self, columns: Vec<Field>, rows: Vec<Vec<String>>) -> Form {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    /// Whether there is something to fill in.
    pub fn asks(&self) -> bool {
        self.fields.iter().any(|field| field.kind != Kind::Fixed)
    }

    /// Writes `<x/>`.
    pub fn write(&self, purpose: Purpose, x: &mut Xml) {
        let kind = if purpose == Purpose::Form { "form" } else { "result" };
        x.open_ns("x", ns::DATA_FORMS).attr("type", kind);
        for (name, text) in [("title", &self.title), ("instructions", &self.instructions)] {
            if !text.is_empty() {
                x.text_element(name, text);
            }
        }
        if let Some(form_type) = self.form_type {
            Field::new(Kind::Hidden, "FORM_TYPE", "").value(form_type).write(x);
        }
        self.fields.iter().for_each(|field| field.write(x));
        if !self.columns.is_empty() {
            x.open("reported");
            self.columns.iter().for_each(|column| column.write(x));
            x.close();
        }
        for row in &self.rows {
            x.open("item");
            for (column, value) in self.columns.iter().zip(row) {
                x.open("field").attr("var", &column.var).text_element("value", value).close();
            }
            x.close();
        }
        x.close();
    }

    /// What the form adds to the hash of its entity's capabilities (XEP-0115 §5.1): fields in the order of their names, values
    /// in their own.
    pub fn verification(&self) -> String {
        let mut fields: Vec<&Field> = self.fields.iter().collect();
        fields.sort_by(|a, b| a.var.cmp(&b.var));
        let mut text = format!("{}<", self.form_type.unwrap_or_default());
        for field in fields {
            let mut values = field.values.clone();
            values.sort_unstable();
            for part in std::iter::once(&*field.var).chain(values.iter().map(String::as_str)) {
                text.push_str(part);
                text.push('<');
            }
        }
        text
    }

    /// Whether the answers are what the form asked for. Fields that it does not know say nothing.
    pub fn check(&self, answers: &Answers) -> Result<(), Wrong> {
        if let (Some(wanted), Some(given)) = (self.form_type, answers.form_type())
            && wanted != given
        {
            return Err(Wrong(format!("This is another form than the one that was asked for: {given}")));
        }
        self.fields.iter().try_for_each(|field| field.check(answers.all(&field.var)))
    }
}

/// A sentence about what is wrong with a submitted form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong(pub String);

impl From<Wrong> for StanzaError {
    fn from(wrong: Wrong) -> StanzaError {
        StanzaError::bad_request().text(wrong.0)
    }
}

/// What was filled in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    fields: Vec<(String, Vec<String>)>,
    canceled: bool,
}

impl Answers {
    /// Reads `<x/>` as a client sends it; within [`FIELDS`] and [`VALUES`].
    pub fn read(form: &Child<'_>) -> Result<Answers, Wrong> {
        let kind = form.attr("type");
        let canceled = match kind.as_deref() {
            // Clients were seen to leave the type out or to send the form itself back.
            Some("submit" | "form") | None => false,
            Some("cancel") => true,
            Some(other) => return Err(Wrong(format!("This is not a form that was filled in: {other}"))),
        };
        let mut fields: Vec<(String, Vec<String>)> = Vec::new();
        for field in form.children().filter(|child| child.is(ns::DATA_FORMS, "field")) {
            let Some(var) = field.attr("var") else { continue };
            let values = field.children().filter(|child| child.is(ns::DATA_FORMS, "value"));
            let values: Vec<String> =
                values.take(VALUES + 1).map(|value| value.text().into_owned()).collect();
            if fields.len() == FIELDS || values.len() > VALUES {
                return Err(Wrong("The form has too many fields or values.".to_owned()));
            }
            if fields.iter().any(|(known, _)| *known == *var) {
                return Err(Wrong(format!("The field is there twice: {var}")));
            }
            fields.push((var.into_owned(), values));
        }
        Ok(Answers { fields, canceled })
    }

    /// Whether the form was given up (`type='cancel'`).
    pub fn is_canceled(&self) -> bool {
        self.canceled
    }

    /// The type of form that it claims to be (XEP-0068).
    pub fn form_type(&self) -> Option<&str> {
        self.text("FORM_TYPE")
    }

    /// The names of the fields and all their values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.fields.iter().map(|(var, values)| (var.as_str(), values.as_slice()))
    }

    /// All values of a field; none if it is not there.
    pub fn all(&self, var: &str) -> &[String] {
        let field = self.fields.iter().find(|(known, _)| known == var);
        field.map_or(&[], |(_, values)| values)
    }

    /// The first value of a field, unless it is empty.
    pub fn text(&self, var: &str) -> Option<&str> {
        self.all(var).first().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All values of a field as lines (`text-multi`), unless there is nothing in them.
    pub fn lines(&self, var: &str) -> Option<String> {
        Some(self.all(var).join("\n")).filter(|text| !text.trim().is_empty())
    }

    /// Whether a field is ticked; `None` if it is not there or neither true nor false.
    pub fn flag(&self, var: &str) -> Option<bool> {
        self.text(var).and_then(boolean)
    }
}

/// §3.3: `true` and `false`, as XML Schema writes them.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
