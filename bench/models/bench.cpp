#include "bench.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>
#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#define QUARQ_BENCH_NLOHMANN
#endif

#include <quarq/model.hpp>

#include "../report.hpp"
#include "../stopwatch.hpp"
#include "line.hpp"

namespace quarq::bench {
namespace models_bench {

struct customer {
  std::int64_t id = 0;
  std::string name;
  std::string email;
  std::optional<std::string> phone;
};
BOOST_DESCRIBE_STRUCT(customer, (), (id, name, email, phone))
QUARQ_MODEL(customer, field(&customer::id).at_least(1), field(&customer::name).length(1, 80),
            field(&customer::email).format(format::email))

struct order {
  std::int64_t id = 0;
  bool paid = false;
  customer buyer;
  std::vector<line> lines;
};
BOOST_DESCRIBE_STRUCT(order, (), (id, paid, buyer, lines))
QUARQ_MODEL(order, field(&order::lines).length(1, 100))

struct profile {
  std::int64_t id = 0;
  std::string name, email, city, country;
  int age = 0;
  double height = 0;
  bool active = false;
  std::string joined;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(profile, (), (id, name, email, city, country, age, height, active, joined, note))
QUARQ_MODEL(profile, field(&profile::id).at_least(1), field(&profile::name).length(1, 80),
            field(&profile::email).format(format::email), field(&profile::city).length(1, 40),
            field(&profile::country).length(2, 2), field(&profile::age).range(0, 150),
            field(&profile::joined).format(format::date))

std::string orders_text(std::size_t bytes) {
  std::string text = "[";
  for (std::int64_t id = 1; text.size() < bytes; ++id) {
    text += fmt::format(R"({}{{"id": {}, "paid": {}, "buyer": {{"id": {}, "name": "Customer number {}", )"
                        R"("email": "customer{}@example.org", "phone": null}}, "lines": [)",
                        id > 1 ? ", " : "", id, id % 2 == 0, id, id, id);
    for (int i = 0; i < 5; ++i)
      text += fmt::format(
          R"({}{{"sku": "SKU-{}-{}", "title": "A thing of some kind, number {}", "quantity": {}, )"
          R"("price": {}.25, "tags": ["red", "large", "new"]}})",
          i > 0 ? ", " : "", id, i, i, i + 1, 10 + i);
    text += "]}";
  }
  return text + "]";
}

constexpr std::string_view profile_text =
    R"({"id": 12345, "name": "Ann Example", "email": "ann@example.org", "city": "Springfield", "country": "US", )"
    R"("age": 42, "height": 1.75, "active": true, "joined": "2026-11-29", "note": "Likes to read and to write mail."})";

/// The fastest of some runs, in seconds; `times` calls in each. What else the machine does only makes one slower.
double seconds_of(const std::function<void()>& work, int times) {
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < 25; ++run) {
    const stopwatch watch;
    for (int i = 0; i < times; ++i) work();
    best = std::min(best, watch.seconds() / times);
  }
  return best;
}

void parse_by_boost(std::string_view text) {
  boost::json::monotonic_resource memory;
  const auto value = boost::json::parse({text.data(), text.size()}, &memory);
  if (value.is_null()) throw usage_error("nothing was parsed");
}

template <class T>
void parse_by_model(std::string_view text) {
  const auto value = parse_json<T>(text);
  static_cast<void>(value);
}

/// `name`'s parse of the same bytes, by each parser in turn.
template <class T>
void measure(report& out, const std::string& name, const std::string& text, int times) {
  out.heading(name);
  const double boost = seconds_of([&] { parse_by_boost(text); }, times);
  const double model = seconds_of([&] { parse_by_model<T>(text); }, times);
  const auto add = [&](const std::string& what, double seconds) {
    out.add({name, what, seconds * 1e6, "us", fmt::format("{:.2f} of Boost.JSON's rate", boost / seconds)});
  };
  add("Boost.JSON, a tree, nothing checked", boost);
  add("model, parsed and checked", model);
#ifdef QUARQ_BENCH_NLOHMANN
  const double nlohmann =
      seconds_of([&] { static_cast<void>(nlohmann::json::parse(text).size()); }, std::max(1, times / 4));
  add("nlohmann-json, a tree, nothing checked", nlohmann);
#endif
}

/// A document with a thousand errors costs no more than twice the right one.
void measure_errors(report& out) {
  std::string good = "[", bad = "[";
  for (int i = 0; i < 1000; ++i) {
    good += i > 0 ? ", 5" : "5";
    bad += i > 0 ? ", \"\"" : "\"\"";
  }
  std::vector<int> numbers;
  out.heading("a list of 1000 integers");
  const double right = seconds_of([&] { try_parse_json(numbers, good + "]"); }, 200);
  const double wrong = seconds_of([&] { try_parse_json(numbers, bad + "]"); }, 200);
  out.add({"errors", "1000 right values", right * 1e6, "us", ""});
  out.add({"errors", "1000 wrong values", wrong * 1e6, "us", fmt::format("{:.2f} of that", wrong / right)});
}

}  // namespace models_bench

int models_main(int argc, char** argv) {
  report out(argc > 1 && std::string_view(argv[1]) == "--json");
  const std::string orders = models_bench::orders_text(1'000'000);
  models_bench::measure<std::vector<models_bench::order>>(out, "1 MB of orders", orders, 1);
  models_bench::measure<models_bench::profile>(out, "ten members, 250 B",
                                               std::string(models_bench::profile_text), 2'000);
  models_bench::measure_errors(out);
  measure_beside_python(out);
  out.print_json();
  return 0;
}

}  // namespace quarq::bench
