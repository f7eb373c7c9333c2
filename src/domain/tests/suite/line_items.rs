//! What a payment intent pays for, item by item, and whether it adds up.

use crate::form::{command, command_at};
use crate::script::check;
use crate::shop::Shop;
use tollgate_domain::paging::Paging;
use tollgate_domain::payments::payment_intent::{AmountError, LineItemsShown, PaymentIntent};
use tollgate_domain::{Item, Object, Read, Reply, Stop, World, kinds, read};
use tollgate_resource::Id;

#[test]
fn the_parts_make_the_amount_or_the_request_is_refused() {
    check(
        "
        > create_payment_intent amount=4600 currency=usd amount_details[discount_amount]=200 amount_details[tax][total_tax_amount]=400 amount_details[shipping][amount]=400 amount_details[line_items][0][product_name]=Book amount_details[line_items][0][unit_cost]=2000 amount_details[line_items][0][quantity]=1 amount_details[line_items][1][product_name]=Pen amount_details[line_items][1][unit_cost]=500 amount_details[line_items][1][quantity]=4
        200 pi1
        · pi1 requires_payment_method 4600 usd
        events payment_intent.created

        > update_payment_intent @pi1 amount=4700
        400 amount_details_amount_mismatch param=amount_details[line_items] (not begun): The sum of the line items, with tax, shipping and discounts, does not match the amount.

        > update_payment_intent @pi1 amount=4700 amount_details[shipping][amount]=500
        200 pi1
        · pi1 requires_payment_method 4700 usd

        > update_payment_intent @pi1 amount_details[line_items][0][product_name]=Book amount_details[line_items][0][unit_cost]=4000 amount_details[line_items][0][quantity]=1 amount_details[line_items][0][discount_amount]=5
        400 param=amount_details[discount_amount] (not begun): You may only specify one of these parameters: amount_details[discount_amount], amount_details[line_items][#][discount_amount].

        > update_payment_intent @pi1 amount_details[line_items][0][product_name]=Book amount_details[line_items][0][unit_cost]=4000 amount_details[line_items][0][quantity]=0
        400 parameter_invalid_integer param=amount_details[line_items][0][quantity] (not begun): This value must be greater than or equal to 1.

        > update_payment_intent @pi1 amount_details[line_items]= amount_details[shipping][amount]=4600
        400 amount_details_tax_shipping_discount_greater_than_amount param=amount_details (not begun): The sum of tax and shipping minus the discount is greater than the amount.

        > confirm_payment_intent @pi1 payment_method=pm_card_visa amount_details[tax][total_tax_amount]=401
        400 amount_details_amount_mismatch param=amount_details[line_items] (not begun): The sum of the line items, with tax, shipping and discounts, does not match the amount.

        > create_payment_intent amount=9223372036854775 currency=usd amount_details[line_items][0][product_name]=Book amount_details[line_items][0][unit_cost]=9223372036854775807 amount_details[line_items][0][quantity]=2
        400 amount_too_large param=amount (not begun): Amount must be no more than $999,999.99
        ",
    );
}

#[test]
fn what_need_not_add_up_is_told_and_a_capture_says_what_it_is_for() {
    let mut shop = Shop::open();
    let book = |cost: &'static str| {
        [
            ("amount_details[line_items][0][product_name]", "Book"),
            ("amount_details[line_items][0][unit_cost]", cost),
            ("amount_details[line_items][0][quantity]", "1"),
        ]
    };
    let mut pairs = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("confirm", "true"),
        ("payment_method", "pm_card_visa"),
        ("capture_method", "manual"),
        ("amount_details[enforce_arithmetic_validation]", "false"),
    ];
    pairs.extend(book("1500"));
    let done = shop.ask(&command("create_payment_intent", &pairs)).expect("made");
    let Reply::Object(_, id) = done.decision.reply else {
        panic!("it is held")
    };
    let error = |shop: &Shop| {
        let intent = kept(shop, id);
        intent.amount_details().expect("details").error
    };
    assert_eq!(error(&shop), Some(AmountError::AmountDetailsAmountMismatch));
    let capture = |shop: &mut Shop, cost| {
        let mut pairs = vec![("amount_to_capture", "1200")];
        pairs.extend(book(cost));
        shop.ask(&command_at("capture_payment_intent", id, &pairs)).map(|_| ())
    };
    let Err(Stop::Reject(reject)) = capture(&mut shop, "2000") else {
        panic!("what is captured costs less")
    };
    assert_eq!(reject.code.as_deref(), Some("amount_details_amount_mismatch"));
    capture(&mut shop, "1200").expect("captured");
    assert_eq!(error(&shop), None);
    crate::audit::check(&shop);
}

#[test]
fn items_are_listed_in_the_order_they_were_given() {
    let mut shop = Shop::open();
    let names: Vec<[String; 3]> = (0..12)
        .map(|at| {
            ["product_name", "unit_cost", "quantity"].map(|name| format!("amount_details[line_items][{at}][{name}]"))
        })
        .collect();
    let mut pairs = vec![("amount", "1200"), ("currency", "usd")];
    for [name, cost, quantity] in &names {
        pairs.extend([(name.as_str(), "Pen"), (cost, "50"), (quantity, "2")]);
    }
    let done = shop.ask(&command("create_payment_intent", &pairs)).expect("made");
    let Reply::Object(_, id) = done.decision.reply else {
        panic!("it is made")
    };
    let (first, more) = page(&shop, id, Paging::of(None, None, None)).expect("listed");
    assert_eq!((first.len(), more), (10, true));
    let (rest, more) = page(&shop, id, Paging::of(None, first.last().copied(), None)).expect("listed");
    assert_eq!((rest.len(), more), (2, false));
    assert!(first.iter().chain(&rest).is_sorted(), "a place later is an id later");
    let (before, more) = page(&shop, id, Paging::of(Some(3), None, Some(rest[0]))).expect("listed");
    assert_eq!((before.as_slice(), more), (&first[7..], true));
    let stranger = Id::new(&kinds::AMOUNT_LINE_ITEM, shop.now_ms, 1, 7);
    assert!(matches!(
        page(&shop, id, Paging::of(None, Some(stranger), None)),
        Err(Stop::Reject(_))
    ));
}

fn kept(shop: &Shop, id: Id) -> PaymentIntent {
    match shop.get(&kinds::PAYMENT_INTENT, id) {
        Object::PaymentIntent(intent) => (**intent).clone(),
        other => panic!("{other:?}"),
    }
}

/// Ids of a page, and whether there is more.
fn page(shop: &Shop, intent: Id, paging: Paging) -> Result<(Vec<Id>, bool), Stop> {
    let world = World {
        account: &shop.account,
        objects: &shop.objects,
    };
    match read(&world, Read::LineItems { intent, paging }, shop.now_ms)? {
        Item::LineItems(page) => {
            let shown = LineItemsShown::of(&page);
            Ok((shown.data.iter().map(|item| item.id.id).collect(), shown.has_more))
        }
        other => panic!("{other:?}"),
    }
}
