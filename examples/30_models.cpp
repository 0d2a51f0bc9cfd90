// Input that must be right: a struct says what its members must be, and all that is wrong is told at once.
#include <iostream>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct line {
  std::string sku;
  int quantity = 1;
};
BOOST_DESCRIBE_STRUCT(line, (), (sku, quantity))
QUARQ_MODEL(line, field(&line::sku).pattern("^[A-Z]+-[0-9]+$"),
            field(&line::quantity).range(1, 100).defaulted())

struct voucher {
  std::string number;
};
BOOST_DESCRIBE_STRUCT(voucher, (), (number))
QUARQ_MODEL(voucher, field(&voucher::number).length(16, 16))

struct transfer {
  std::string iban;
};
BOOST_DESCRIBE_STRUCT(transfer, (), (iban))
QUARQ_MODEL(transfer, field(&transfer::iban).length(15, 34))

// Told apart by their member "method", wherever it stands.
using payment = std::variant<voucher, transfer>;
QUARQ_TAGGED(payment, "method", "voucher", "transfer")

std::string has_few_things(const struct order& o);

struct order {
  std::string email;
  std::vector<line> lines;
  payment paid_by;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(order, (), (email, lines, paid_by, note))
QUARQ_MODEL(order, field(&order::email).format(format::email), field(&order::lines).length(1, 50),
            check<has_few_things>())

std::string has_few_things(const order& o) {
  int things = 0;
  for (const line& one : o.lines) things += one.quantity;
  return things > 200 ? "An order has at most 200 things" : "";
}

void read(std::string_view json) {
  try {
    const auto made = quarq::parse_json<order>(json);
    std::cout << "an order of " << made.lines.size() << " for " << made.email << "\n";
  } catch (const quarq::validation_error& e) {
    for (const auto& error : e.errors()) std::cout << error.kind << " at " << to_string(error) << "\n";
  }
}

int main() {
  read(R"({"email": "ann@example.org", "lines": [{"sku": "TEA-1"}, {"sku": "CUP-7", "quantity": 2}],
           "paid_by": {"method": "voucher", "number": "4111111111111111"}})");
  read(R"({"email": "ann", "lines": [{"sku": "tea", "quantity": 0}, {"quantity": "2"}],
           "paid_by": {"iban": "DE1", "method": "transfer"}, "note": 5})");
  read(R"({"email": "ann@example.org", "lines": []})");
}

// It prints:
//   an order of 2 for ann@example.org
//   email_parsing at email: Input should be a valid e-mail address
//   string_pattern_mismatch at lines[0].sku: String should match pattern '^[A-Z]+-[0-9]+$'
//   greater_than_equal at lines[0].quantity: Input should be greater than or equal to 1
//   int_type at lines[1].quantity: Input should be a valid integer
//   missing at lines[1].sku: Field required
//   string_too_short at paid_by.iban: String should have at least 15 characters
//   string_type at note: Input should be a valid string
//   too_short at lines: Input should have at least 1 item, not 0
//   missing at paid_by: Field required
