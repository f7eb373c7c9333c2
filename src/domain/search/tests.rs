//! What queries mean and which are refused, and the cursors of pages.

use super::{CHARGES, CLAUSES_MAX, CUSTOMERS, PAYMENT_INTENTS, PageToken, Query, Searched};
use tollgate_resource::params::Range;
use tollgate_resource::shown::Seconds;
use tollgate_resource::{Metadata, Shown};

/// Something that is searched.
#[derive(Shown)]
#[shown(object = "thing")]
struct ThingShown<'a> {
    amount: i64,
    created: Seconds,
    currency: &'a str,
    customer: Option<&'a str>,
    #[shown(omit)]
    deleted: Option<bool>,
    disputed: bool,
    email: Option<&'a str>,
    metadata: Metadata,
    payment_method_details: Option<DetailsShown>,
    status: &'a str,
}

/// How it was paid.
#[derive(Shown)]
struct DetailsShown {
    card: CardShown,
}

/// The card.
#[derive(Shown)]
struct CardShown {
    exp_year: i64,
    last4: &'static str,
}

fn thing() -> ThingShown<'static> {
    let mut metadata = Metadata::default();
    metadata.set("order", "6735");
    metadata.set("Note", "It's \"new\"");
    ThingShown {
        amount: 1_000,
        created: Seconds(1_700_000_000),
        currency: "usd",
        customer: None,
        deleted: None,
        disputed: false,
        email: Some("Jenny.Rosen@Example.com"),
        metadata,
        payment_method_details: Some(DetailsShown {
            card: CardShown {
                exp_year: 2030,
                last4: "4242",
            },
        }),
        status: "succeeded",
    }
}

/// Lines of `query => whether it matches, or the refusal`.
fn check(searched: &Searched, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (query, expected) = line.split_once(" => ").expect("a query and what comes of it");
        let said = match Query::parse(query, searched) {
            Ok(query) => if query.matches(&thing()) { "yes" } else { "no" }.to_owned(),
            Err(message) => message,
        };
        assert_eq!(said, expected, "{query}");
    }
}

#[test]
fn charges_are_found_by_tokens_numbers_and_metadata() {
    check(
        &CHARGES,
        r#"
        amount:1000 => yes
        amount=1000 => yes
        amount:'1000' => yes
        amount>999 => yes
        amount>1000 => no
        amount>=1000 => yes
        amount<1000 => no
        amount<=1000 => yes
        amount <= 1000 => yes
        -amount:1000 => no
        - amount:5 => yes
        currency:'usd' => yes
        currency:"USD" => yes
        currency:usd => yes
        status:'succeed' => no
        customer:null => yes
        -customer:null => no
        customer:'cus_1' => no
        -customer:'cus_1' => yes
        disputed:'false' => yes
        disputed:true => no
        metadata['order']:'6735' => yes
        metadata["order"]:"6735" => yes
        metadata[ 'order' ] : '6735' => yes
        metadata['order']:6735 => yes
        metadata['Order']:'6735' => no
        metadata['order']:'673' => no
        metadata['order']:null => no
        metadata['nope']:null => yes
        -metadata['nope']:null => no
        metadata['Note']:'it\'s "new"' => yes
        payment_method_details.card.last4:4242 => yes
        payment_method_details.card.exp_year:2030 => yes
        payment_method_details.card.brand:null => yes
        amount>500 AND currency:'usd' => yes
        amount>500 currency:'usd' => yes
        amount>500 and currency:'eur' => no
        amount>5000 OR currency:'usd' => yes
        amount>5000 or currency:'eur' or status:'succeeded' => yes
        amount<9223372036854775807 => yes
        amount>9223372036854775807 => no
        amount<-9223372036854775808 => no
        "#,
    );
}

#[test]
fn customers_are_found_by_parts_of_text() {
    check(
        &CUSTOMERS,
        r#"
        email~'rosen' => yes
        email~"ROSEN@" => yes
        email~'rosan' => no
        -email~'rosan' => yes
        email:'jenny.rosen@example.com' => yes
        email:'jenny.rosen' => no
        name:null => yes
        name~'abc' => no
        "#,
    );
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let fields = "The fields that can be searched are amount, created, currency, customer, status and metadata['key'].";
    let unknown = format!("Field `livemode` is an unsupported search field for resource `payment_intents`. {fields}");
    check(&PAYMENT_INTENTS, &format!("livemode:'true' => {unknown}"));
    check(
        &PAYMENT_INTENTS,
        "
        amount>5 AND status:'x' OR status:'y' => A search query can't combine `AND` and `OR`. Use one of them for all of its clauses.
        amount>5 OR status:'x' status:'y' => A search query can't combine `AND` and `OR`. Use one of them for all of its clauses.
        amount => The search query is malformed: one of `:`, `~`, `=`, `<`, `<=`, `>` and `>=` is expected at its end.
        amount:5 AND => The search query is malformed: the name of a field is expected at its end.
        amount:5 AND AND => Field `AND` is an unsupported search field for resource `payment_intents`. The fields that can be searched are amount, created, currency, customer, status and metadata['key'].
        :5 => The search query is malformed: the name of a field is expected before ':5'.
        (amount:5) => The search query is malformed: the name of a field is expected before '(amount:5)'.
        amount: => The search query is malformed: a value is expected at its end.
        amount:'5 => The search query is malformed: a quotation mark (') is not closed.
        amount:five => Field `amount` is a number, but is compared with 'five'.
        amount:1.5 => Field `amount` is a number, but is compared with '1.5'.
        amount~5 => Field `amount` is a number, which the operator `~` can't search.
        amount>null => `null` is compared with `:` only, as in amount:null.
        status>'a' => Field `status` is no number: use `:` to compare it.
        status~'succ' => Field `status` can only be searched as a whole: use `:` instead of `~`.
        status:a'b => The search query is malformed: put the value of `status` in quotation marks.
        metadata:'x' => Metadata is searched by its key: metadata['key']:'value'.
        metadata[order]:'x' => Metadata is searched by its key in quotation marks: metadata['key']:'value'.
        metadata['order':'x' => Metadata is searched by its key in quotation marks: metadata['key']:'value'.
        metadata['order']~'6735' => Field `metadata` can only be searched as a whole: use `:` instead of `~`.
        ",
    );
    check(
        &CUSTOMERS,
        "
        email~'ab' => The operator `~` needs at least 3 characters to search for; `email` is given 'ab'.
        email>'abc' => Field `email` is no number: use `:` to compare it, or `~`.
        ",
    );
    let clauses = ["amount:1"; CLAUSES_MAX + 1].join(" AND ");
    assert!(Query::parse(&clauses, &CHARGES).is_err_and(|said| said.contains("at most 10 clauses")));
    assert!(Query::parse(&clauses[..clauses.len() - 13], &CHARGES).is_ok());
}

#[test]
fn deleted_objects_are_never_found() {
    let query = Query::parse("-name:'x'", &CUSTOMERS).expect("a query");
    assert!(query.matches(&thing()));
    let gone = ThingShown {
        deleted: Some(true),
        ..thing()
    };
    assert!(!query.matches(&gone));
}

#[test]
fn times_and_customers_narrow_what_is_looked_at() {
    for (query, min, max, customer) in [
        ("created>100 AND created<=200", 101, 200, None),
        ("created>100 AND -created<=200", 101, i64::MAX, None),
        ("created>100 OR created<50", i64::MIN, i64::MAX, None),
        ("created:150", 150, 150, None),
        ("amount>5 AND customer:'cus_A'", i64::MIN, i64::MAX, Some("cus_A")),
        ("amount>5 OR customer:'cus_A'", i64::MIN, i64::MAX, None),
        ("-customer:'cus_A'", i64::MIN, i64::MAX, None),
    ] {
        let read = Query::parse(query, &CHARGES).expect("a query");
        assert_eq!(read.created(), Range { min, max }, "{query}");
        assert_eq!(read.customer(), customer, "{query}");
    }
}

#[test]
fn a_cursor_belongs_to_its_search() {
    let token = PageToken::of(&CHARGES, "amount:5");
    for seq in [0, 1, 77, u64::MAX] {
        let text = token.write(seq);
        assert_eq!(token.read(&text), Some(seq));
        assert_eq!(PageToken::of(&CHARGES, "amount:6").read(&text), None);
        assert_eq!(PageToken::of(&PAYMENT_INTENTS, "amount:5").read(&text), None);
        assert_eq!(token.read(&text.to_uppercase().replace('0', "O")), None);
        assert_eq!(token.read(&text[1..]), None);
    }
    assert_eq!(token.read("é".repeat(12).as_str()), None);
}
