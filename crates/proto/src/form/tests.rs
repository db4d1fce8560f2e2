use super::*;
use crate::stanza::Stanza;

fn read(fields: &str) -> Result<Answers, Wrong> {
    let xml = format!("<iq><x xmlns='jabber:x:data' type='submit'>{fields}</x></iq>");
    let stanza = Stanza::parse(xml.as_bytes()).expect("well-formed");
    Answers::read(&stanza.child(ns::DATA_FORMS, "x").expect("a form"))
}

fn field(var: &str, values: &[&str]) -> String {
    let values: String = values.iter().map(|value| format!("<value>{value}</value>")).collect();
    format!("<field var='{var}'>{values}</field>")
}

fn sample() -> Form {
    Form::new("urn:example")
        .title("A form")
        .field(Field::new(Kind::TextSingle, "name", "Name").required())
        .field(Field::new(Kind::Boolean, "loud", "Loud").ticked(true))
        .field(Field::new(Kind::ListSingle, "colour", "Colour").option("Red", "red").option("Blue", "blue"))
        .field(Field::new(Kind::JidMulti, "whom", ""))
}

#[test]
fn a_form_is_written_as_the_standard_shows_it() {
    let mut x = Xml::new();
    sample().write(Purpose::Form, &mut x);
    let expected = "<x xmlns='jabber:x:data' type='form'><title>A form</title>\
        <field type='hidden' var='FORM_TYPE'><value>urn:example</value></field>\
        <field type='text-single' var='name' label='Name'><required/></field>\
        <field type='boolean' var='loud' label='Loud'><value>true</value></field>\
        <field type='list-single' var='colour' label='Colour'><option label='Red'><value>red</value></option>\
        <option label='Blue'><value>blue</value></option></field>\
        <field type='jid-multi' var='whom'/></x>";
    assert_eq!(String::from_utf8(x.into_vec()).expect("text"), expected);
}

#[test]
fn a_table_has_its_columns_and_rows() {
    let mut x = Xml::new();
    let columns = vec![Field::new(Kind::TextSingle, "n", "Number")];
    Form::untyped().table(columns, vec![vec!["1".into()]]).write(Purpose::Result, &mut x);
    let expected = "<x xmlns='jabber:x:data' type='result'><reported><field type='text-single' var='n' \
        label='Number'/></reported><item><field var='n'><value>1</value></field></item></x>";
    assert_eq!(String::from_utf8(x.into_vec()).expect("text"), expected);
}

#[test]
fn what_fits_is_taken() {
    let fields = [field("name", &["x"]), field("loud", &["0"]), field("whom", &["a@b", "c@d"])].concat();
    let answers = read(&fields).expect("a form");
    assert_eq!(sample().check(&answers), Ok(()));
    assert_eq!(
        (answers.text("name"), answers.flag("loud"), answers.all("whom").len()),
        (Some("x"), Some(false), 2)
    );
    assert_eq!((answers.text("colour"), answers.flag("colour")), (None, None));
    assert_eq!(answers.lines("whom").as_deref(), Some("a@b\nc@d"));
}

#[test]
fn what_does_not_fit_is_told() {
    let name = field("name", &["x"]);
    for (fields, wrong) in [
        (String::new(), "This must be filled in: Name"),
        (field("name", &[""]), "This must be filled in: Name"),
        (field("name", &["x", "y"]), "This has one value only: Name"),
        (format!("{name}{}", field("loud", &["maybe"])), "This cannot be the value of \"Loud\": maybe"),
        (format!("{name}{}", field("colour", &["green"])), "This cannot be the value of \"Colour\": green"),
        (format!("{name}{}", field("whom", &["@"])), "This cannot be the value of \"whom\": @"),
        (
            format!("{name}{}", field("FORM_TYPE", &["urn:other"])),
            "This is another form than the one that was asked for: urn:other",
        ),
    ] {
        let answers = read(&fields).expect("a form");
        assert_eq!(sample().check(&answers), Err(Wrong(wrong.to_owned())));
    }
}

#[test]
fn floods_are_refused() {
    let many: String = (0..=FIELDS).map(|n| field(&format!("f{n}"), &[])).collect();
    assert!(read(&many).is_err());
    assert!(read(&field("f", &["v"; VALUES + 1])).is_err());
    assert!(read(&field("f", &["v"; VALUES])).is_ok());
    assert!(read(&format!("{}{}", field("f", &["1"]), field("f", &["2"]))).is_err(), "twice the same field");
}

#[test]
fn a_whole_number_is_within_its_range() {
    let form = Form::untyped().field(Field::new(Kind::TextSingle, "seconds", "").whole(0..=60).value("5"));
    let mut x = Xml::new();
    form.write(Purpose::Form, &mut x);
    let expected = "<x xmlns='jabber:x:data' type='form'><field type='text-single' var='seconds'>\
        <validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:integer'><range min='0' max='60'/>\
        </validate><value>5</value></field></x>";
    assert_eq!(String::from_utf8(x.into_vec()).expect("text"), expected);
    for (value, fits) in
        [("0", true), ("60", true), ("61", false), ("-1", false), ("five", false), ("", true)]
    {
        let answers = read(&field("seconds", &[value])).expect("a form");
        assert_eq!(form.check(&answers).is_ok(), fits, "{value}");
    }
}
