// expect: quarq: the alternatives of this variant have the same kind of JSON
#include <string>
#include <variant>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct voucher {
  std::string number;
};
BOOST_DESCRIBE_STRUCT(voucher, (), (number))

struct transfer {
  std::string iban;
};
BOOST_DESCRIBE_STRUCT(transfer, (), (iban))

using payment = std::variant<voucher, transfer>;
QUARQ_TAGGED(payment, "method", "voucher", "transfer")

payment parse(std::string_view json) {
  return quarq::parse_json<payment>(json);
}

#ifdef MUST_FAIL
struct cash {
  int amount = 0;
};
BOOST_DESCRIBE_STRUCT(cash, (), (amount))

std::variant<cash, voucher> parse_other(std::string_view json) {
  return quarq::parse_json<std::variant<cash, voucher>>(json);
}
#endif
