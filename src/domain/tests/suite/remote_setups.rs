//! Setting cards up over a remote network: it is asked whether the card is good, and every unknown outcome is found out.

use crate::script::check;

#[test]
fn a_setup_waits_for_the_network() {
    check(
        "
        > network remote

        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_setup_intent payment_method=pm_card_visa customer=@cus1 confirm=true
        waits for seti1/1
        · seti1 processing customer=cus1 method=pm1 attempt=setatt1
        · pm1 4242 used up
        · setatt1 processing pm1
        · call verify seti1/1 with code
        events setup_intent.created

        > cancel_setup_intent @seti1
        seti1 is busy

        > answer seti1/1 request approved
        settles seti1/1 of key-2: 200 seti1
        · cus1 Ada - holds=pm1
        · pm1 4242 of cus1
        · setatt1 succeeded pm1
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1
        events payment_method.attached, setup_intent.succeeded

        > answer seti1/1 request approved

        > wait 60s
        ",
    );
}

#[test]
fn a_declined_setup_answers_the_waiting_request() {
    check(
        "
        > network remote

        > create_setup_intent payment_method=pm_card_visa confirm=true
        waits for seti1/1
        · seti1 processing method=pm1 attempt=setatt1
        · pm1 4242 used up
        · setatt1 processing pm1
        · call verify seti1/1 with code
        events setup_intent.created

        > answer seti1/1 request declined 2
        settles seti1/1 of key-1: 402 card_declined decline=insufficient_funds pm=pm1 seti=seti1: Your card has insufficient funds.
        · pm1 4242
        · setatt1 failed pm1
        · seti1 requires_payment_method attempt=setatt1 error=2
        events setup_intent.setup_failed

        > confirm_setup_intent @seti1 payment_method=@pm1
        waits for seti1/2
        · setatt2 processing pm1
        · pm1 4242 used up
        · seti1 processing method=pm1 attempt=setatt2
        · call verify seti1/2 with code

        > answer seti1/1 request approved

        > answer seti1/2 request approved
        settles seti1/2 of key-2: 200 seti1
        · pm1 4242
        · setatt2 succeeded pm1
        · seti1 succeeded method=pm1 attempt=setatt2
        events setup_intent.succeeded
        ",
    );
}

#[test]
fn a_setup_whose_answer_is_lost_is_processing_until_it_is_found_out() {
    check(
        "
        > create_payment_method type=card card[token]=tok_tollgate_remoteLostAnswer
        200 pm1
        · pm1 0042

        > create_setup_intent payment_method=@pm1 confirm=true
        waits for seti1/1
        · seti1 processing method=pm1 attempt=setatt1
        · setatt1 processing pm1
        · pm1 0042 used up
        · call verify seti1/1 with code
        events setup_intent.created

        > wait 3s
        timer of seti1 at 3 s
        settles seti1/1 of key-2: 200 seti1
        · seti1 processing method=pm1 attempt=setatt1
        · call inquire seti1/1

        > cancel_setup_intent @seti1
        400 setup_intent_unexpected_state seti=seti1: You cannot cancel this SetupIntent because it has a status of processing. Only a SetupIntent with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`.

        > confirm_setup_intent @seti1
        400 setup_intent_unexpected_state seti=seti1: You cannot confirm this SetupIntent because it has a status of processing. What became of it is being found out.

        > update_setup_intent @seti1 payment_method=pm_card_visa
        400 setup_intent_unexpected_state seti=seti1: You cannot update this SetupIntent because it has a status of processing. What became of it is being found out.

        > update_setup_intent @seti1 description=known
        200 seti1
        · seti1 processing method=pm1 attempt=setatt1

        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > attach_payment_method @pm1 customer=@cus1
        400: This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again.

        > answer seti1/1 inquiry not_found
        · seti1 processing method=pm1 attempt=setatt1
        · call reverse seti1/1

        > answer seti1/1 request approved

        > answer seti1/1 reversal acknowledged
        · pm1 0042
        · setatt1 failed pm1
        · seti1 requires_payment_method attempt=setatt1 error=8
        events setup_intent.setup_failed

        > attach_payment_method @pm1 customer=@cus1
        200 pm1
        · pm1 0042 of cus1
        · cus1 Ada - holds=pm1
        events payment_method.attached
        ",
    );
}

#[test]
fn a_card_that_is_detached_or_deleted_meanwhile_is_not_set_up() {
    check(
        "
        > network remote

        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_payment_method type=card card[token]=tok_visa
        200 pm1
        · pm1 4242

        > attach_payment_method @pm1 customer=@cus1
        200 pm1
        · pm1 4242 of cus1
        · cus1 Ada - holds=pm1
        events payment_method.attached

        > create_setup_intent payment_method=@pm1 customer=@cus1 confirm=true
        waits for seti1/1
        · seti1 processing customer=cus1 method=pm1 attempt=setatt1
        · setatt1 processing pm1
        · pm1 4242 of cus1
        · call verify seti1/1 with code
        events setup_intent.created

        > detach_payment_method @pm1
        200 pm1
        · pm1 4242 used up
        · cus1 Ada -
        events payment_method.detached

        > answer seti1/1 request approved
        settles seti1/1 of key-4: 402 processing_error decline=processing_error pm=pm1 seti=seti1: An error occurred while processing your card. Try again in a little bit.
        · pm1 4242 used up
        · setatt1 failed pm1
        · seti1 requires_payment_method customer=cus1 attempt=setatt1 error=8
        events setup_intent.setup_failed

        > create_customer_source @cus1 source=tok_visa
        200 card1
        · card1 4242 of cus1
        · cus1 Ada - sources=card1 default=card1
        events customer.source.created, customer.updated

        > create_setup_intent payment_method=@card1 customer=@cus1 confirm=true
        waits for seti2/1
        · seti2 processing customer=cus1 method=card1 attempt=setatt2
        · setatt2 processing card1
        · card1 4242 of cus1
        · call verify seti2/1 with code
        events setup_intent.created

        > delete_customer_source @cus1 @card1
        200 card1
        · card1 4242 of cus1 used up
        · cus1 Ada -
        events customer.source.deleted, customer.updated

        > answer seti2/1 request approved
        settles seti2/1 of key-7: 402 processing_error decline=processing_error pm=card1 seti=seti2: An error occurred while processing your card. Try again in a little bit.
        · setatt2 failed card1
        · seti2 requires_payment_method customer=cus1 attempt=setatt2 error=8
        events setup_intent.setup_failed
        ",
    );
}

#[test]
fn a_cardholder_acts_before_the_network_is_asked() {
    check(
        "
        > network remote

        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_setup_intent payment_method=pm_card_authenticationRequired customer=@cus1 confirm=true
        200 seti1
        · seti1 requires_action customer=cus1 method=pm1 attempt=setatt1
        · pm1 3184
        · setatt1 requires_action pm1
        events setup_intent.created, setup_intent.requires_action

        > act seti1 complete
        waits for seti1/1
        · pm1 3184 used up
        · setatt1 processing pm1 authenticated
        · seti1 processing customer=cus1 method=pm1 attempt=setatt1
        · call verify seti1/1 with code

        > answer seti1/1 request approved
        settles seti1/1 of key-3: 200 seti1
        · cus1 Ada - holds=pm1
        · pm1 3184 of cus1
        · setatt1 succeeded pm1 authenticated
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1
        events payment_method.attached, setup_intent.succeeded

        > create_setup_intent payment_method=pm_card_threeDSecureRequiredChargeDeclined customer=@cus1 confirm=true
        200 seti2
        · seti2 requires_action customer=cus1 method=pm2 attempt=setatt2
        · pm2 1629
        · setatt2 requires_action pm2
        events setup_intent.created, setup_intent.requires_action

        > delete_customer @cus1
        200 cus1
        · pm1 3184 used up
        · cus1 Ada - holds=pm1 (deleted)
        events payment_method.detached, customer.deleted

        > act seti2 complete
        200 seti2
        · pm2 1629
        · setatt2 failed pm2 authenticated
        · seti2 requires_payment_method customer=cus1 attempt=setatt2 error=unauthenticated
        events setup_intent.setup_failed
        ",
    );
}
