#include "wrk.hpp"

#include <charconv>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "../python.hpp"
#include "../stopwatch.hpp"

namespace quarq::bench {
namespace {

double number_behind(std::string_view text, std::string_view mark) {
  auto at = text.find(mark);
  if (at == text.npos) throw std::runtime_error(fmt::format("wrk did not say \"{}\"", mark));
  at = text.find_first_not_of(' ', at + mark.size());
  double number = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), number);
  return number;
}

}  // namespace

server_load load_by_wrk(const running_server& server, const std::string& path, int seconds,
                        const std::vector<std::string>& more) {
  std::vector<std::string> command = {"/usr/bin/wrk", "-t1", fmt::format("-c{}", wrk_connections),
                                      fmt::format("-d{}s", seconds)};
  command.insert(command.end(), more.begin(), more.end());
  command.push_back(fmt::format("http://127.0.0.1:{}{}", server.port(), path));
  const double before = server.cpu_seconds();
  const stopwatch watch;
  const auto said = output_of(on_processor("1", std::move(command)));
  const double cpu = server.cpu_seconds() - before;
  if (said.find("Non-2xx") != said.npos || said.find("Socket errors") != said.npos)
    throw std::runtime_error("wrk saw errors: " + said);
  const double rate = number_behind(said, "Requests/sec:");
  return {rate, cpu * 1e6 / (rate * seconds), cpu / watch.seconds()};
}

}  // namespace quarq::bench
