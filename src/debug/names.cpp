#include "debug/names.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/text.hpp"

namespace quarq::debug {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Where whole words stand, replaces them.
void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos;) {
    const std::size_t end = at + from.size();
    const bool begins = at == 0 || !is_word(text[at - 1]) || !is_word(from.front());
    const bool ends = end == text.size() || !is_word(text[end]) || !is_word(from.back());
    if (begins && ends) {
      text.replace(at, from.size(), to);
      at += to.size();
    } else {
      ++at;
    }
  }
}

/// The index behind the bracket that closes the one at `open`.
std::size_t behind_bracket(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '<' || text[i] == '(') ++depth;
    if (text[i] == '>' || text[i] == ')') {
      if (--depth == 0) return i + 1;
    }
  }
  return text.size();
}

/// Removes ", std::allocator<...>" and the like, which demangled names show.
void remove_default_arguments(std::string& name) {
  constexpr std::string_view defaults[] = {"std::allocator<", "std::char_traits<", "std::default_delete<",
                                           "std::less<",      "std::hash<",        "std::equal_to<"};
  for (const auto argument : defaults) {
    const std::string sought = ", " + std::string(argument);
    for (std::size_t at = 0; (at = name.find(sought, at)) != name.npos;)
      name.erase(at, behind_bracket(name, at + sought.size() - 1) - at);
  }
}

using replacement = std::pair<std::string_view, std::string_view>;

constexpr replacement numbers[] = {
    {"long long unsigned int", "unsigned long long"},
    {"long unsigned int", "unsigned long"},
    {"short unsigned int", "unsigned short"},
    {"unsigned int", "unsigned"},
    {"long long int", "long long"},
    {"long int", "long"},
    {"short int", "short"},
};
constexpr replacement spellings[] = {
    {"{anonymous}", "(anonymous namespace)"},
    {"filesystem::__cxx11::", "filesystem::"},
    {"std::chrono::_V2::", "std::chrono::"},
    {"std::__debug::", "std::"},
    {"std::basic_string<char>", "std::string"},
    {"std::basic_string_view<char>", "std::string_view"},
    {"std::basic_string<wchar_t>", "std::wstring"},
    {"std::basic_string<char8_t>", "std::u8string"},
    {"std::basic_string<char16_t>", "std::u16string"},
    {"std::basic_string<char32_t>", "std::u32string"},
    {"std::basic_string_view<wchar_t>", "std::wstring_view"},
    {"std::basic_string_view<char8_t>", "std::u8string_view"},
    {"std::basic_string_view<char16_t>", "std::u16string_view"},
    {"std::basic_string_view<char32_t>", "std::u32string_view"},
    {"std::__exception_ptr::exception_ptr", "std::exception_ptr"},
    {"std::chrono::duration<long, std::ratio<1, 1000000000>>", "std::chrono::nanoseconds"},
    {"std::chrono::duration<long, std::ratio<1, 1000000>>", "std::chrono::microseconds"},
    {"std::chrono::duration<long, std::ratio<1, 1000>>", "std::chrono::milliseconds"},
    {"std::chrono::duration<long>", "std::chrono::seconds"},
    {"std::chrono::duration<long, std::ratio<60>>", "std::chrono::minutes"},
    {"std::chrono::duration<long, std::ratio<3600>>", "std::chrono::hours"},
    {"std::chrono::duration<long, std::ratio<86400>>", "std::chrono::days"},
    {"std::chrono::time_point<std::chrono::system_clock>", "std::chrono::system_clock::time_point"},
    {"std::chrono::time_point<std::chrono::steady_clock>", "std::chrono::steady_clock::time_point"},
    {"std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>",
     "std::chrono::system_clock::time_point"},
    {"std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>",
     "std::chrono::steady_clock::time_point"},
};

/// One form for "T *" and "T*", "> >" and ">>", "<T >" and "<T>".
void tighten(std::string& name) {
  constexpr std::string_view no_space_before = ">*&[(,";
  std::string out;
  for (const char c : name) {
    const bool is_tight = no_space_before.find(c) != no_space_before.npos;
    if (is_tight && out.ends_with(' ') && !out.ends_with(", ")) out.pop_back();
    out += c;
  }
  name = std::move(out);
}

/// What stands before the function's parameters: "void acme::load<int>", "bool acme::s::operator<".
std::string_view before_parameters(std::string_view signature) {
  int angles = 0;
  for (std::size_t i = 0; i < signature.size(); ++i) {
    const auto rest = signature.substr(i);
    if (rest.starts_with("(anonymous ")) {
      i = behind_bracket(signature, i) - 1;
    } else if (angles == 0 && rest.starts_with("operator") && (i == 0 || !is_word(signature[i - 1]))) {
      return signature.substr(0, signature.find('(', i + std::string_view("operator(").size()));
    } else if (signature[i] == '<') {
      ++angles;
    } else if (signature[i] == '>') {
      --angles;
    } else if (signature[i] == '(' && angles == 0) {
      return signature.substr(0, i);
    }
  }
  return signature;
}

/// Where the name begins in "static std::vector<int> acme::load".
std::size_t begin_of_name(std::string_view text) {
  std::size_t end = text.find("operator");  // after which may be spaces
  if (end == text.npos || (end > 0 && is_word(text[end - 1]))) end = text.size();
  int depth = 0;
  for (std::size_t i = end; i > 0; --i) {
    const char c = text[i - 1];
    if (c == '>' || c == ')') ++depth;
    if (c == '<' || c == '(') --depth;
    if (depth == 0 && (c == ' ' || c == '*' || c == '&')) return i;
  }
  return 0;
}

bool is_in_lambda(std::string_view signature) {
  return signature.find("<lambda") != signature.npos || signature.find("(anonymous class)") != signature.npos;
}

}  // namespace

std::string plain_type_name(std::string_view given) {
  std::string name(given);
  tighten(name);
  for (const auto& [from, to] : numbers) replace_all(name, from, to);
  replace_all(name, "std::__cxx11::", "std::");
  remove_default_arguments(name);
  for (const auto& [from, to] : spellings) replace_all(name, from, to);
  return name;
}

std::string type_name_of(std::string_view signature) {
  const std::size_t begin = signature.find("T = ");
  if (begin == signature.npos) return std::string(signature);
  auto name = signature.substr(begin + 4);
  // g++ lists what other names mean after a semicolon.
  name = name.substr(0, std::min(name.find("; std::string_view = "), name.rfind(']')));
  return plain_type_name(name);
}

std::string type_name_of(const std::type_info& type) {
  return plain_type_name(base::type_name(type));
}

std::string_view unqualified(std::string_view name) {
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    if (name[i] == '<' || name[i] == '(' || name[i] == '{') ++depth;
    if (name[i] == '>' || name[i] == ')' || name[i] == '}') --depth;
    if (depth == 0 && name[i] == ':' && name[i + 1] == ':') begin = i + 2;
  }
  return name.substr(begin);
}

std::string function_name_of(std::string_view signature) {
  auto name = before_parameters(signature);
  name = name.substr(begin_of_name(name));
  std::string plain = plain_type_name(name);
  for (std::size_t at; (at = plain.find("(anonymous namespace)::")) != plain.npos;)
    plain.erase(at, std::string_view("(anonymous namespace)::").size());
  return is_in_lambda(signature) ? plain + " lambda" : plain;
}

}  // namespace quarq::debug
