// A request's query as a struct: a parameter of handlers.
#pragma once

#include <utility>

#include <quarq/detail/described.hpp>

namespace quarq::http {

/// A handler with a parameter of this type gets the query's values as the members of T, by their names:
///     struct page { int offset = 0; std::optional<int> limit; std::vector<std::string> tag; };
///     BOOST_DESCRIBE_STRUCT(page, (), (offset, limit, tag))
///     awaitable<std::vector<user>> list_users(http::query<page> q);      // "?limit=10&tag=a&tag=b"
/// Members are numbers, bool ("true", "false", "1", "0"), enums, std::string, and optionals and vectors of these. What
/// is absent keeps its default; names that are not members are ignored. A value that can't be read as its member is
/// answered with 422. If T has a model (<quarq/model.hpp>), that says what must be there, how texts are converted, and
/// all that is wrong is in the answer.
template <class T>
struct query {
  static_assert(quarq::detail::described_struct<T>,
                "quarq: http::query takes a struct that is described, beside its definition, with "
                "BOOST_DESCRIBE_STRUCT(type, (), (member, another_member)) of <boost/describe.hpp>");
  T value{};
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }
};

}  // namespace quarq::http
