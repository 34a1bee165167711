# libctl with the programs of PostgreSQL, for backups and drills: the image of the service has none. POSTGRES has to be an
# image of the server's version, or a newer one, on Debian 12, where the Python of SERVICE fits.
ARG SERVICE=gameshelf:latest
ARG POSTGRES=postgres:17.6-bookworm
FROM ${SERVICE} AS service

FROM ${POSTGRES}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates python3 > /dev/null \
    && rm -rf /var/lib/apt/lists/* && install -d -o 10001 -g 10001 /backups \
    # initdb, which a drill calls, refuses a user without a name.
    && echo 'gameshelf:x:10001:10001::/backups:/usr/sbin/nologin' >> /etc/passwd
COPY --from=service /opt/gameshelf /opt/gameshelf
ENV PATH=/opt/gameshelf/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
ENTRYPOINT ["libctl"]
CMD ["backup", "--help"]
