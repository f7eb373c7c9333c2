//! Domains on which pages offer wallets.

use crate::form::command;
use crate::script::check;
use crate::shop::Shop;
use tollgate_domain::payments::payment_domain::DOMAINS_MAX;
use tollgate_domain::{Account, Stop};

#[test]
fn a_domain_is_registered_once_enabled_disabled_and_looked_at() {
    check(
        "
        > create_payment_method_domain domain_name=Shop.Example.com
        200 pmd1
        · pmd1 shop.example.com

        > create_payment_method_domain domain_name=pay.example.com enabled=false
        200 pmd2
        · pmd2 pay.example.com disabled

        > update_payment_method_domain @pmd2 enabled=true
        200 pmd2
        · pmd2 pay.example.com

        > create_payment_method_domain domain_name=shop.example.com enabled=false
        200 pmd1
        · pmd1 shop.example.com disabled

        > validate_payment_method_domain @pmd1
        200 pmd1
        · pmd1 shop.example.com disabled

        > create_payment_method_domain domain_name=https://shop.example.com
        400 param=domain_name (not begun): Invalid domain name: https://shop.example.com. Give a name alone, such as `shop.example.com`.
        ",
    );
}

#[test]
fn a_domain_of_apple_pay_is_another_one_and_can_be_deleted() {
    check(
        "
        > create_payment_method_domain domain_name=shop.example.com
        200 pmd1
        · pmd1 shop.example.com

        > create_apple_pay_domain domain_name=shop.example.com
        200 apwc1
        · apwc1 shop.example.com

        > create_apple_pay_domain domain_name=SHOP.example.com
        200 apwc1
        · apwc1 shop.example.com

        > delete_apple_pay_domain @apwc1
        200 apwc1
        · apwc1 shop.example.com (deleted)

        > delete_apple_pay_domain @apwc1
        404 resource_missing param=domain (not begun): No such apple_pay_domain: 'apwc1'

        > create_apple_pay_domain domain_name=shop.example.com
        200 apwc2
        · apwc2 shop.example.com
        ",
    );
}

#[test]
fn an_account_has_so_many_domains_and_knows_them_after_a_restart() {
    let mut shop = Shop::open();
    let register =
        |shop: &mut Shop, name: &str| shop.ask(&command("create_payment_method_domain", &[("domain_name", name)]));
    for at in 0..DOMAINS_MAX {
        register(&mut shop, &format!("shop{at}.example")).expect("registered");
    }
    let row = shop.account.to_row();
    shop.account = Account::from_row(shop.account.profile.clone(), &row).expect("a row");
    assert_eq!(shop.account.domain_count(), DOMAINS_MAX);
    register(&mut shop, "shop7.example").expect("it is known");
    let Err(Stop::Reject(reject)) = register(&mut shop, "one.more.example") else {
        panic!("there are too many")
    };
    assert_eq!(reject.status, 400);
    crate::audit::check(&shop);
}
