// expect: quarq: the alternatives of this variant can't be told apart by the kind of JSON that they have
#include <string>
#include <variant>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct card {
  std::string number;
};
BOOST_DESCRIBE_STRUCT(card, (), (number))

struct transfer {
  std::string iban;
};
BOOST_DESCRIBE_STRUCT(transfer, (), (iban))

using payment = std::variant<card, transfer>;
QUARQ_TAGGED(payment, "method", "card", "transfer")

payment parse(std::string_view json) {
  return quarq::parse_json<payment>(json);
}

#ifdef MUST_FAIL
struct cash {
  int amount = 0;
};
BOOST_DESCRIBE_STRUCT(cash, (), (amount))

std::variant<cash, card> parse_other(std::string_view json) {
  return quarq::parse_json<std::variant<cash, card>>(json);
}
#endif
