// A step that must not be interrupted halfway: shield protects it from the cancellation of its caller.
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

struct accounts {
  int ada = 100, grace = 0;
};

// Between its two halves the money is nowhere.
quarq::awaitable<void> transfer(accounts& bank, int amount) {
  bank.ada -= amount;
  co_await quarq::sleep_for(500ms);
  bank.grace += amount;
}

quarq::awaitable<void> print_receipt() {
  std::cout << "a receipt" << std::endl;
  co_return;
}

quarq::awaitable<void> pay(accounts& bank) {
  co_await quarq::shield(transfer(bank, 40));
  // The first await after the shield throws if the caller was cancelled meanwhile.
  co_await print_receipt();
}

quarq::awaitable<void> pay_carelessly(accounts& bank) {
  co_await transfer(bank, 40);
  co_await print_receipt();
}

quarq::awaitable<void> impatient(quarq::awaitable<void> payment, accounts& bank, std::string how) {
  try {
    co_await quarq::with_timeout(std::move(payment), 5ms);
  } catch (const quarq::timed_out&) {
    std::cout << how << ": timed out; Ada has " << bank.ada << ", Grace has " << bank.grace << std::endl;
  }
}

int main() {
  accounts bank;
  quarq::run(impatient(pay_carelessly(bank), bank, "without a shield"));
  bank = accounts();
  quarq::run(impatient(pay(bank), bank, "with a shield"));
}

// It prints:
//   without a shield: timed out; Ada has 60, Grace has 0
//   with a shield: timed out; Ada has 60, Grace has 40
