// Names of types and functions as their authors write them, from those that the compiler gives.
#pragma once

#include <string>
#include <string_view>
#include <typeinfo>

namespace quarq::debug {

/// "std::vector<std::string>" of "std::vector<std::__cxx11::basic_string<char> >": default arguments of the
/// standard library's templates, its inline namespaces, and spaces are left out, and numbers have one form
/// for all compilers.
std::string plain_type_name(std::string_view name);

/// The T of detail::type_text<T>().
std::string type_name_of(std::string_view signature);
std::string type_name_of(const std::type_info& type);

/// "line<acme::sku>" of "acme::orders::line<acme::sku>".
std::string_view unqualified(std::string_view type_name);

/// "acme::ship" of "void acme::ship(int, std::string)"; a lambda's is that of the function around it, with "
/// lambda". Empty outside of functions.
std::string function_name_of(std::string_view signature);

}  // namespace quarq::debug
