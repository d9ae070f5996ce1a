# PostgreSQL 15 as Debian ships it, for the container tests: the official image cannot be pulled in a closed network.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 >/dev/null \
    && rm -rf /var/lib/apt/lists/*
USER postgres
ENV PATH=/usr/lib/postgresql/15/bin:$PATH
# Trust is safe here: only the test's own bridge network reaches it, and the data end with the container.
RUN initdb --pgdata=/tmp/data --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null \
    && echo 'host all all all trust' >> /tmp/data/pg_hba.conf
CMD ["postgres", "-D", "/tmp/data", "-c", "listen_addresses=*", "-c", "fsync=off", "-c", "max_connections=200"]
