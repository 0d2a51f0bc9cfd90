// Looking at values: QUARQ_DEBUG prints where it stands and what its arguments are, and is its last argument.
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include <quarq/debug.hpp>
#include <quarq/debug_timer.hpp>

enum class status { open, shipped };
BOOST_DESCRIBE_ENUM(status, open, shipped)

struct line {
  std::string sku;
  int count;
};
BOOST_DESCRIBE_STRUCT(line, (), (sku, count))

struct order {
  int id;
  status state;
  std::vector<line> lines;
  std::optional<std::string> coupon;
};
BOOST_DESCRIBE_STRUCT(order, (), (id, state, lines, coupon))

// A value that must not be seen.
struct api_key {
  std::string text;
};
template <>
inline constexpr bool quarq::debug_hidden<api_key> = true;

// One that is shown in a way of its own.
struct money {
  int cents;
};
template <>
struct quarq::pretty_printer<money> {
  static void print(quarq::pretty_writer& out, const money& m) {
    out.text(std::to_string(m.cents / 100) + " EUR");
  }
};

int pieces(const order& o) {
  int sum = 0;
  for (const line& l : o.lines) sum += l.count;
  return QUARQ_DEBUG(sum);  // the value passes through
}

int main() {
  // To the standard output, so that this example's test sees it.
  quarq::set_debug_options({.file = 1});

  const order first{7, status::shipped, {{"A-100", 2}, {"B-7 \"blue\"", 1}, {"C-31", 12}}, std::nullopt};
  QUARQ_DEBUG(first, pieces(first));

  const std::map<std::string, money> prices = {{"A-100", {1500}}, {"C-31", {200}}};
  QUARQ_DEBUG(prices, std::pair<int, money>(2, {700}));
  const api_key key{"s3cr3t"};
  QUARQ_DEBUG("with a key", key);

  quarq::debug_timer timer("pack");
  timer.lap("first");
}

// It prints:
//   <24_debug.cpp>:<47> pieces
//       sum = 15 (int, 4 bytes)
//   <24_debug.cpp>:<55> main
//       first = order{
//           id: 7,
//           state: status::shipped,
//           lines: [
//               line{sku: "A-100", count: 2},
//               line{sku: "B-7 \"blue\"", count: 1},
//               line{sku: "C-31", count: 12},
//           ],
//           coupon: nullopt,
//       } (order, 72 bytes)
//       pieces(first) = 15 (int, 4 bytes)
//   <24_debug.cpp>:<58> main
//       prices = {"A-100": 15 EUR, "C-31": 2 EUR} (std::map<std::string, money>, 2 elements)
//       std::pair<int, money>(2, {700}) = (2, 7 EUR) (std::pair<int, money>, 8 bytes)
//   <24_debug.cpp>:<60> main
//       "with a key"
//       key = <hidden> (api_key, 32 bytes)
//   pack: lap 1 (first): <1 us>, <1 us> in all
//   pack: <1 us>, 1 lap of <1 us> on average
