//! Whatever commands arrive, in whatever order, the books are right.

use std::collections::{BTreeMap, HashMap, HashSet};

use contracts::{Line, ReleaseStock, ReserveStock, SellStock, StockCommand};
use inventory::domain::{Decision, Level, Reservation, Status, Stock};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

const SKUS: [&str; 3] = ["PLENTY", "SOME", "SCARCE"];
const PIECES: [i64; 3] = [5_000, 20, 3];

proptest! {
    #[test]
    fn no_sequence_of_commands_loses_a_piece_or_makes_a_level_negative(commands in vec(command(), 0..60)) {
        let mut shop = Shop::default();
        for command in &commands {
            shop.decide(std::slice::from_ref(command));
            for (sku, pieces) in SKUS.iter().zip(PIECES) {
                let level = &shop.levels[*sku];
                prop_assert_eq!(level.available + level.reserved + level.sold, pieces);
                prop_assert!(level.available >= 0 && level.reserved >= 0 && level.sold >= 0);
            }
        }
    }

    #[test]
    fn an_order_is_reserved_at_most_once(commands in vec(command(), 0..60)) {
        let mut shop = Shop::default();
        let mut reserved = HashSet::new();
        for (command, decision) in commands.iter().zip(shop.decide(&commands)) {
            if decision == Decision::Reserved {
                prop_assert!(reserved.insert(order_of(command)));
            }
        }
    }

    #[test]
    fn what_is_reserved_is_what_open_reservations_hold(commands in vec(command(), 0..60)) {
        let mut shop = Shop::default();
        shop.decide(&commands);
        let mut held: HashMap<&str, i64> = HashMap::new();
        let open = shop.reservations.values().filter(|reservation| reservation.status == Status::Reserved);
        for line in open.flat_map(|reservation| &reservation.lines) {
            *held.entry(&line.sku).or_default() += line.quantity;
        }
        for sku in SKUS {
            prop_assert_eq!(shop.levels[sku].reserved, held.get(sku).copied().unwrap_or(0));
        }
    }

    #[test]
    fn a_batch_decides_like_its_commands_one_by_one(commands in vec(command(), 0..60), size in 1_usize..20) {
        let (mut at_once, mut one_by_one) = (Shop::default(), Shop::default());
        let batched: Vec<_> = commands.chunks(size).flat_map(|batch| at_once.decide(batch)).collect();
        let single: Vec<_> = commands.chunks(1).flat_map(|batch| one_by_one.decide(batch)).collect();
        prop_assert_eq!(batched, single);
        let pieces = |shop: &Shop| shop.levels.values().map(|l| (l.available, l.reserved, l.sold)).collect::<Vec<_>>();
        prop_assert_eq!(pieces(&at_once), pieces(&one_by_one));
    }

    #[test]
    fn a_release_that_overtakes_the_reservation_leaves_nothing_reserved(lines in vec(line(), 0..4), again in any::<bool>()) {
        let mut shop = Shop::default();
        let before = shop.levels.clone();
        let mut commands = vec![release(1), reserve(1, lines.clone())];
        if again {
            commands.push(reserve(1, lines));
        }
        shop.decide(&commands);
        prop_assert_eq!(&shop.levels, &before);
        prop_assert_eq!(shop.reservations[&Uuid::from_u128(1)].status, Status::Refused);
    }
}

#[test]
fn stock_is_refused_with_a_reason_that_names_the_line() {
    let refused = |lines: Vec<Line>| match Shop::default().decide(&[reserve(1, lines)]).remove(0) {
        Decision::Refused(reason) => reason,
        other => format!("not refused: {other:?}"),
    };
    let one = |sku: &str, quantity| Line {
        sku: sku.to_owned(),
        quantity,
    };
    assert_eq!(refused(vec![]), "the order has no lines");
    assert_eq!(
        refused(vec![one("NO\0NE", 1)]),
        r#"there is no product "NO\0NE""#
    );
    assert_eq!(
        refused(vec![one("SOME", 0)]),
        "0 pieces of SOME are not within 1 to 1000"
    );
    assert_eq!(
        refused(vec![one("SOME", 1_001)]),
        "1001 pieces of SOME are not within 1 to 1000"
    );
    assert_eq!(
        refused(vec![one("SOME", 1), one("SOME", 1)]),
        "SOME is in the order twice"
    );
    assert_eq!(
        refused(vec![one("SOME", 1), one("SCARCE", 4)]),
        "4 pieces of SCARCE are wanted, 3 are available"
    );
}

#[test]
fn a_reservation_and_its_release_in_one_batch_cancel_out() {
    let mut shop = Shop::default();
    let line = Line {
        sku: "SCARCE".to_owned(),
        quantity: 3,
    };
    let decisions = shop.decide(&[
        reserve(1, vec![line.clone()]),
        release(1),
        reserve(2, vec![line]),
    ]);
    assert_eq!(
        decisions,
        [Decision::Reserved, Decision::Released, Decision::Reserved]
    );
    let level = &shop.levels["SCARCE"];
    assert_eq!((level.available, level.reserved, level.version), (0, 3, 2));
}

/// The tables, as a test sees them.
struct Shop {
    levels: BTreeMap<String, Level>,
    reservations: BTreeMap<Uuid, Reservation>,
}

impl Default for Shop {
    fn default() -> Self {
        let level = |available| Level {
            available,
            reserved: 0,
            sold: 0,
            version: 1,
        };
        let levels = SKUS
            .iter()
            .zip(PIECES)
            .map(|(sku, pieces)| ((*sku).to_owned(), level(pieces)));
        Self {
            levels: levels.collect(),
            reservations: BTreeMap::new(),
        }
    }
}

impl Shop {
    /// One transaction: loads, decides and writes what changed.
    fn decide(&mut self, batch: &[StockCommand]) -> Vec<Decision> {
        let mut stock = Stock::new(self.levels.clone(), self.reservations.clone());
        let decisions = batch.iter().map(|command| stock.decide(command)).collect();
        self.levels.extend(
            stock
                .changed_levels()
                .map(|(sku, level)| (sku.clone(), level.clone())),
        );
        self.reservations.extend(
            stock
                .changed_reservations()
                .map(|(id, reservation)| (*id, reservation.clone())),
        );
        decisions
    }
}

fn command() -> impl Strategy<Value = StockCommand> {
    let order = 0_u128..8;
    prop_oneof![
        3 => (order.clone(), vec(line(), 0..4)).prop_map(|(order, lines)| reserve(order, lines)),
        1 => order.clone().prop_map(release),
        1 => order.prop_map(|order| SellStock { order_id: Uuid::from_u128(order) }.into()),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    let sku = prop_oneof![Just("PLENTY"), Just("SOME"), Just("SCARCE"), Just("NONE")];
    let quantity = prop_oneof![9 => 1_i64..5, 1 => any::<i64>()];
    (sku, quantity).prop_map(|(sku, quantity)| Line {
        sku: sku.to_owned(),
        quantity,
    })
}

fn reserve(order: u128, lines: Vec<Line>) -> StockCommand {
    ReserveStock {
        order_id: Uuid::from_u128(order),
        lines,
    }
    .into()
}

fn release(order: u128) -> StockCommand {
    ReleaseStock {
        order_id: Uuid::from_u128(order),
    }
    .into()
}

fn order_of(command: &StockCommand) -> Uuid {
    inventory::domain::order_of(command)
}
