#include "base/text.hpp"

#include <cstdlib>
#include <memory>

#include <cxxabi.h>
#include <fmt/format.h>

namespace quarq::base {

std::string human_duration(std::chrono::microseconds d) {
  const auto us = d.count();
  if (us < 1'000) return fmt::format("{} us", us);
  if (us < 10'000) return fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3);
  if (us < 1'000'000) return fmt::format("{} ms", us / 1'000);
  if (us < 120'000'000) return fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
  return fmt::format("{:.1f} min", static_cast<double>(us) / 60e6);
}

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? demangled.get() : type.name();
}

}  // namespace quarq::base
