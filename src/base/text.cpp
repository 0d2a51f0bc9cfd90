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

std::string listed(std::span<const std::string> names) {
  constexpr std::size_t max_bytes = 300;
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0 && list.size() + 2 + names[i].size() > max_bytes) {
      return list + fmt::format(" and {} more", names.size() - i);
    }
    if (i > 0) list += ", ";
    list += names[i];
  }
  return list;
}

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? demangled.get() : type.name();
}

thrown_object describe_thrown_object() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  thrown_object what;
  what.type = type ? type_name(*type) : "unknown";
  try {
    throw;
  } catch (const char* text) {
    what.text = text ? text : "";
  } catch (const std::string& text) {
    what.text = text;
  } catch (...) {
    what.text = fmt::format("an object of type {} was thrown, which is not a std::exception", what.type);
  }
  return what;
}

}  // namespace quarq::base
