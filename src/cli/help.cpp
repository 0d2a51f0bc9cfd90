#include "cli/help.hpp"

namespace quarq::cli {

std::string help_text::make_option_opts(const CLI::Option* option) const {
  const std::string& text = option->get_option_text();
  if (text.empty() || text.starts_with('[')) return text;
  return " " + text;
}

std::string help_text::make_option_usage(const CLI::Option* option) const {
  const std::string name = option->get_name(true) + (option->get_expected_max() > 1 ? "..." : "");
  return option->get_required() ? name : "[" + name + "]";
}

}  // namespace quarq::cli
