// Texts as values.
#pragma once

#include <string>
#include <string_view>

#include <quarq/detail/model_type.hpp>

namespace quarq::validation {

class builder;

/// What holds the text, within optionals and secrets.
const type& innermost(const type& what);
bool is_list(const type& what);

/// Gives a builder one value. False: it wants no more.
bool put_json(builder& to, std::string_view text);
/// The same, of a text that is JSON where the type is made of others.
bool put_text(builder& to, const type& what, const std::string& text);

}  // namespace quarq::validation
