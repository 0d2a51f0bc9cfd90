// JSON Schema (2020-12) of types, for a document that has the structs among them by their names.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <quarq/detail/model_type.hpp>
#include <quarq/detail/schema.hpp>

#include "validation/value_checks.hpp"

namespace quarq::validation {

class schema_writer final : public quarq::detail::schema_document {
 public:
  /// `prefix` precedes the names in references: "#/$defs/". Names that are `taken` are given to nobody.
  explicit schema_writer(std::string prefix, const std::vector<std::string>& taken = {});

  std::string of(const type& what) override;
  std::string of_struct(std::string_view name, make_schema make) override;
  /// All that was referred to so far, as the members of one object.
  std::string definitions();

 private:
  std::string reference_to(const void* which, std::string_view name, std::function<std::string()> make);
  std::string schema_of(const type& what, const asked_rules& asked);
  std::string definition_of(const object_type& what, std::string_view tag, std::string_view tag_value);
  std::string variant(const variant_type& what);
  std::string list(const list_type& what, const asked_rules& asked);
  std::string tuple(const tuple_type& what, const asked_rules& asked);

  std::string prefix_;
  std::map<const void*, std::string> names_;
  std::map<std::string, int> used_;
  std::deque<std::pair<std::string, std::function<std::string()>>> waiting_;
  std::map<std::string, std::string> definitions_;
};

}  // namespace quarq::validation
