// Models beside pydantic and msgspec: the same documents by the same rules. quarq and Python take turns, and of all
// turns the fastest counts: what else the machine does only ever makes one slower.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <quarq/model.hpp>

#include "../python.hpp"
#include "../report.hpp"
#include "../stopwatch.hpp"
#include "bench.hpp"
#include "line.hpp"
#include "support/temp_dir.hpp"

namespace quarq::bench {
namespace beside_python {

using models_bench::line;

// The same models as in python_models.py.
struct person {
  std::int64_t id = 0;
  std::string name, email, city, country;
  int age = 0;
  double height = 0;
  bool active = false;
  std::string joined;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(person, (), (id, name, email, city, country, age, height, active, joined, note))
QUARQ_MODEL(person, field(&person::id).at_least(1), field(&person::name).length(1, 80),
            field(&person::email).pattern("^[^@ ]+@[^@ ]+$"), field(&person::city).length(1, 40),
            field(&person::country).length(2, 2), field(&person::age).range(0, 150),
            field(&person::height).more_than(0), field(&person::joined).length(10, 10))

struct buyer {
  std::int64_t id = 0;
  std::string name, email;
  std::optional<std::string> phone;
};
BOOST_DESCRIBE_STRUCT(buyer, (), (id, name, email, phone))
QUARQ_MODEL(buyer, field(&buyer::id).at_least(1), field(&buyer::name).length(1, 80),
            field(&buyer::email).pattern("^[^@ ]+@[^@ ]+$"))

struct order {
  std::int64_t id = 0;
  bool paid = false;
  buyer by;
  std::vector<line> lines;
};
BOOST_DESCRIBE_STRUCT(order, (), (id, paid, by, lines))
QUARQ_MODEL(order, field(&order::id).at_least(1), field(&order::lines).length(1, 100))

std::string line_text(int i, bool good) {
  return fmt::format(R"({{"sku": "SKU-{}", "title": "A thing of some kind, number {}", "quantity": {}, )"
                     R"("price": {}.25, "tags": ["red", "large", "new"]}})",
                     i, i, good ? i % 1000 + 1 : 0, 10 + i % 50);
}

/// Of `count` lines, each of those at a multiple of `bad_step` is wrong; 0: none is.
std::string lines_text(int count, int bad_step) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const bool good = bad_step == 0 || i % bad_step != 0;
    text += (i > 0 ? ", " : "") + line_text(i, good);
  }
  return "[" + text + "]";
}

std::string person_text(std::string_view name, int age, std::string_view country) {
  return fmt::format(
      R"({{"id": 12345, "name": "{}", "email": "ann@example.org", "city": "Springfield", "country": "{}", )"
      R"("age": {}, "height": 1.75, "active": true, "joined": "2026-11-29", )"
      R"("note": "Likes to read and to write mail."}})",
      name, country, age);
}

std::string order_text(std::string_view email, int bad_step) {
  return fmt::format(
      R"({{"id": 7, "paid": true, "by": {{"id": 3, "name": "Ann Example", "email": "{}", "phone": null}}, )"
      R"("lines": {}}})",
      email, lines_text(5, bad_step));
}

/// The fastest of some runs, in seconds for one call of `work`.
double fastest(const std::function<void()>& work) {
  constexpr double long_enough = 0.01;
  int times = 1;
  double best = 0;
  for (;; times *= 2) {
    const stopwatch watch;
    for (int i = 0; i < times; ++i) work();
    const double seconds = watch.seconds();
    best = seconds / times;
    if (seconds >= long_enough) break;
  }
  for (int run = 0; run < 5; ++run) {
    const stopwatch watch;
    for (int i = 0; i < times; ++i) work();
    best = std::min(best, watch.seconds() / times);
  }
  return best;
}

/// By "DOCUMENT/WORK/TOOL", in seconds.
class best_times {
 public:
  void add(const std::string& name, double seconds) {
    const auto [place, is_new] = times_.emplace(name, seconds);
    if (!is_new) place->second = std::min(place->second, seconds);
  }
  double of(const std::string& name) const { return times_.at(name); }

 private:
  std::map<std::string, double> times_;
};

struct document {
  std::string name, good, bad;
  std::size_t errors = 0;  ///< in the bad one
  std::function<void(const document&, best_times&)> measure;
};

void require(bool holds, const std::string& what) {
  if (!holds) throw usage_error("models: " + what);
}

template <class T>
void measure_own(const document& one, best_times& to) {
  const T value = parse_json<T>(one.good);
  T refused;
  const std::size_t errors = try_parse_json(refused, one.bad).size();
  require(errors == one.errors, fmt::format("{} has {} errors", one.name, errors));
  to.add(one.name + "/parse/quarq", fastest([&] { static_cast<void>(parse_json<T>(one.good)); }));
  to.add(one.name + "/refuse/quarq", fastest([&] { static_cast<void>(try_parse_json(refused, one.bad)); }));
  to.add(one.name + "/write/quarq", fastest([&] { static_cast<void>(write_json(value)); }));
}

std::vector<document> all_documents() {
  return {
      {"small", person_text("Ann Example", 42, "US"), person_text("", 200, "USA"), 3, measure_own<person>},
      {"nested", order_text("ann@example.org", 0), order_text("nobody", 3), 3, measure_own<order>},
      {"list", lines_text(1000, 0), lines_text(1000, 20), 50, measure_own<std::vector<line>>}};
}

/// What Python says of its tools, and how fast they were.
boost::json::value ask_python(const std::string& python, const std::string& folder) {
  return boost::json::parse(
      output_of({python, "-B", QUARQ_BENCH_SOURCE_DIR "/models/python_models.py", folder}));
}

void add_line(report& out, const best_times& times, const document& one, const std::string& work,
              const std::string& tool, const std::string& label) {
  const std::string place = one.name + "/" + work + "/";
  const double seconds = times.of(place + tool);
  const double ratio = seconds / times.of(place + "quarq");
  out.add({"models beside Python's", fmt::format("{}, {} B, {}: {}", one.name, one.good.size(), work, label),
           seconds * 1e6, "us", tool == "quarq" ? "" : fmt::format("{:.2f} x quarq's", ratio)});
}

}  // namespace beside_python

void measure_beside_python(report& out) {
  using namespace beside_python;
  const std::string python = QUARQ_BENCH_SOURCE_DIR "/../build/model-peers/bin/python";
  if (!std::filesystem::exists(python)) {
    out.heading("pydantic and msgspec are left out: they are not in build/model-peers");
    return;
  }
  const auto documents = all_documents();
  const test::temp_dir folder;
  for (const document& one : documents) {
    folder.write(one.name + ".json", one.good);
    folder.write(one.name + ".bad.json", one.bad);
  }
  best_times times;
  std::map<std::string, std::string> labels{{"quarq", "quarq"}};
  constexpr int turns = 5;
  for (int turn = 0; turn < turns; ++turn) {
    for (const document& one : documents) one.measure(one, times);
    const auto said = ask_python(python, folder.path().string());
    for (const auto& [tool, version] : said.at("versions").as_object())
      labels[tool] = fmt::format("{} {}", std::string(tool), std::string(version.as_string()));
    for (const auto& [name, seconds] : said.at("seconds").as_object())
      times.add(name, seconds.to_number<double>());
    for (const document& one : documents) {
      const auto errors = said.at("errors").at(one.name).to_number<std::size_t>();
      require(errors == one.errors, fmt::format("pydantic finds {} errors in {}", errors, one.name));
    }
  }
  out.heading(
      fmt::format("the same documents and rules in Python, the fastest of {} turns; \"write\" of quarq "
                  "checks the value first",
                  turns));
  for (const document& one : documents) {
    for (const char* work : {"parse", "refuse", "write"}) {
      for (const char* tool : {"quarq", "msgspec", "pydantic"})
        add_line(out, times, one, work, tool, labels.at(tool));
    }
  }
}

}  // namespace quarq::bench
