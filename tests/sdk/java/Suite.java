import com.stripe.Stripe;
import com.stripe.exception.CardException;
import com.stripe.exception.IdempotencyException;
import com.stripe.exception.InvalidRequestException;
import com.stripe.model.BalanceTransaction;
import com.stripe.model.Charge;
import com.stripe.model.Customer;
import com.stripe.model.Event;
import com.stripe.model.PaymentIntent;
import com.stripe.model.PaymentMethod;
import com.stripe.model.Refund;
import com.stripe.model.SetupIntent;
import com.stripe.net.RequestOptions;
import com.stripe.param.PaymentIntentCreateParams;
import com.stripe.param.RefundCreateParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * The official Java SDK, unmodified, against the server at the address given as the only argument. Its types are strict:
 * an answer of the wrong shape does not parse. Ends with status 1 if any of the tests fails.
 */
public final class Suite {
    private interface Case {
        void run() throws Exception;
    }

    private static int failed = 0;

    public static void main(String[] arguments) {
        Stripe.overrideApiBase(arguments[0]);
        Stripe.overrideUploadBase(arguments[0]);
        Stripe.apiKey = "sk_test_javasuite0123456789abcdefgh";
        Stripe.setMaxNetworkRetries(0);
        check("a payment succeeds and is in the books", Suite::payment);
        check("a decline is a card exception", Suite::decline);
        check("a key pays once", Suite::idempotency);
        check("a hold is captured and refunded in parts", Suite::holdAndRefund);
        check("a saved card pays later", Suite::savedCard);
        check("the calls of old", Suite::charges);
        check("lists page by themselves", Suite::lists);
        check("what does not exist is named", Suite::missing);
        System.out.println(failed == 0 ? "java: all passed" : "java: " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }

    private static void payment() throws Exception {
        PaymentIntent intent = PaymentIntent.create(pay(2500).putMetadata("order", "6735").build());
        same("succeeded", intent.getStatus());
        same(2500L, intent.getAmountReceived());
        Charge charge = Charge.retrieve(intent.getLatestCharge());
        BalanceTransaction transaction = BalanceTransaction.retrieve(charge.getBalanceTransaction());
        same(2397L, transaction.getNet());
        same("6735", PaymentIntent.retrieve(intent.getId()).getMetadata().get("order"));
        boolean told = false;
        for (Event event : Event.list(Map.of("type", "payment_intent.succeeded", "limit", 10)).getData()) {
            PaymentIntent seen = (PaymentIntent) event.getDataObjectDeserializer().deserializeUnsafe();
            told |= seen.getId().equals(intent.getId());
        }
        same(true, told);
    }

    private static void decline() throws Exception {
        try {
            PaymentIntent.create(pay(1000).setPaymentMethod("pm_card_visa_chargeDeclinedInsufficientFunds").build());
            throw new AssertionError("the card was not declined");
        } catch (CardException declined) {
            same("card_declined", declined.getCode());
            same("insufficient_funds", declined.getDeclineCode());
            same("requires_payment_method", declined.getStripeError().getPaymentIntent().getStatus());
        }
    }

    private static void idempotency() throws Exception {
        RequestOptions key = RequestOptions.builder().setIdempotencyKey(UUID.randomUUID().toString()).build();
        PaymentIntent first = PaymentIntent.create(pay(700).build(), key);
        same(first.getId(), PaymentIntent.create(pay(700).build(), key).getId());
        try {
            PaymentIntent.create(pay(701).build(), key);
            throw new AssertionError("the key was used for something else");
        } catch (IdempotencyException refused) {
            same(400, refused.getStatusCode());
        }
    }

    private static void holdAndRefund() throws Exception {
        PaymentIntent held = PaymentIntent.create(
            pay(5000).setCaptureMethod(PaymentIntentCreateParams.CaptureMethod.MANUAL).build());
        same("requires_capture", held.getStatus());
        PaymentIntent captured = held.capture(Map.of("amount_to_capture", 4000));
        same(4000L, captured.getAmountReceived());
        RefundCreateParams part = RefundCreateParams.builder().setPaymentIntent(held.getId()).setAmount(1500L).build();
        same("succeeded", Refund.create(part).getStatus());
        Refund.create(RefundCreateParams.builder().setPaymentIntent(held.getId()).build());
        same(true, Charge.retrieve(captured.getLatestCharge()).getRefunded());
        try {
            Refund.create(part);
            throw new AssertionError("more was refunded than captured");
        } catch (InvalidRequestException refused) {
            same("charge_already_refunded", refused.getCode());
        }
    }

    private static void savedCard() throws Exception {
        Customer customer = Customer.create(Map.of("email", "jenny@example.com"));
        SetupIntent setup = SetupIntent.create(Map.of("customer", customer.getId(), "payment_method", "pm_card_visa",
            "confirm", true, "usage", "off_session", "payment_method_types", List.of("card")));
        same("succeeded", setup.getStatus());
        PaymentMethod saved = PaymentMethod.retrieve(setup.getPaymentMethod());
        same(customer.getId(), saved.getCustomer());
        PaymentIntent intent = PaymentIntent.create(pay(900).setCustomer(customer.getId())
            .setPaymentMethod(saved.getId()).setOffSession(true).build());
        same("succeeded", intent.getStatus());
        same(1, customer.listPaymentMethods(Map.of("type", "card")).getData().size());
        same(true, customer.delete().getDeleted());
    }

    private static void charges() throws Exception {
        Charge charge = Charge.create(Map.of("amount", 1200, "currency", "usd", "source", "tok_visa"));
        same(true, charge.getPaid());
        same(null, charge.getPaymentIntent());
        Charge held = Charge.create(Map.of("amount", 1200, "currency", "usd", "source", "tok_visa", "capture", false));
        same(false, held.getCaptured());
        same(true, held.capture().getCaptured());
    }

    private static void lists() throws Exception {
        Customer owner = Customer.create(Map.of("name", "many"));
        for (int at = 0; at < 7; at++) {
            PaymentIntent.create(pay(500).setCustomer(owner.getId()).build());
        }
        List<String> seen = new ArrayList<>();
        for (PaymentIntent one : PaymentIntent.list(Map.of("customer", owner.getId(), "limit", 3)).autoPagingIterable()) {
            seen.add(one.getId());
        }
        same(7, seen.size());
    }

    private static void missing() throws Exception {
        try {
            Charge.retrieve("ch_nothing");
            throw new AssertionError("a charge was made up");
        } catch (InvalidRequestException refused) {
            same(404, refused.getStatusCode());
            same("resource_missing", refused.getCode());
        }
    }

    private static PaymentIntentCreateParams.Builder pay(long amount) {
        return PaymentIntentCreateParams.builder().setAmount(amount).setCurrency("usd").setPaymentMethod("pm_card_visa")
            .addPaymentMethodType("card").setConfirm(true);
    }

    private static void check(String what, Case run) {
        try {
            run.run();
            System.out.println("ok      " + what);
        } catch (Exception | AssertionError problem) {
            failed++;
            System.out.println("FAILED  " + what + ": " + problem);
        }
    }

    private static void same(Object expected, Object seen) {
        if (!Objects.equals(expected, seen)) {
            throw new AssertionError("expected " + expected + ", saw " + seen);
        }
    }
}
