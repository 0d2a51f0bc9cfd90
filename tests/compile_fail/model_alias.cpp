// expect: quarq: two members of this model have the same name in the input
#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct page {
  int offset = 0;
  int limit = 10;
};
BOOST_DESCRIBE_STRUCT(page, (), (offset, limit))

#ifdef MUST_FAIL
QUARQ_MODEL(page, field(&page::limit).alias("offset"))
#else
QUARQ_MODEL(page, field(&page::limit).alias("max"))
#endif
