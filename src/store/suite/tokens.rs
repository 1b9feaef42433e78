//! Access tokens.

use time::Duration;
use uuid::Uuid;

use super::column_names;
use super::fixture::{Fixture, Maker, THEN, write};
use crate::adapter::{AccessToken, Role, SecretDigest};
use crate::store::{Change, Error};

fn token<M: Maker>(fixture: &Fixture<M>, name: &str) -> AccessToken {
    AccessToken {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        secret: SecretDigest::of(name),
        role: Role::Operator,
        adapters: Some(vec![fixture.east.id, fixture.west.id]),
        created_at: THEN,
        created_by: "otto".to_owned(),
        expires_at: THEN + Duration::days(90),
        sealed_by: fixture.east.root_key,
    }
}

pub(crate) async fn a_token_is_found_by_its_secret_until_it_is_revoked<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let scoped = token(&fixture, "scoped");
    let everywhere = AccessToken {
        adapters: None,
        ..token(&fixture, "everywhere")
    };
    for token in [&scoped, &everywhere] {
        write(&*fixture.store, &[Change::CreateAccessToken(token.clone())])
            .await
            .unwrap();
    }
    let store = fixture.reopened().await;
    assert_eq!(
        store.access_token(scoped.secret).await.unwrap(),
        Some(scoped.clone())
    );
    assert_eq!(
        store.access_tokens().await.unwrap().rows,
        [everywhere, scoped.clone()]
    );
    assert_eq!(
        store.access_token(SecretDigest::of("guessed")).await.unwrap(),
        None
    );
    let same_name = [Change::CreateAccessToken(token(&fixture, "scoped"))];
    let again = write(&*fixture.store, &same_name).await.unwrap_err();
    assert!(matches!(again, Error::Exists { .. }), "{again}");

    let revoke = [Change::DeleteAccessToken(scoped.id)];
    write(&*fixture.store, &revoke).await.unwrap();
    assert_eq!(store.access_token(scoped.secret).await.unwrap(), None);
    let again = write(&*fixture.store, &revoke).await.unwrap_err();
    assert!(matches!(again, Error::NotFound { .. }), "{again}");
}

pub(crate) async fn a_token_changed_in_any_column_lets_nobody_in<M: Maker>() {
    for column in column_names::<M>("access_token").await {
        let fixture = Fixture::<M>::new().await;
        let token = token(&fixture, "changed");
        write(&*fixture.store, &[Change::CreateAccessToken(token.clone())])
            .await
            .unwrap();
        fixture
            .maker
            .change_column("access_token", &column, "id", token.id.as_bytes())
            .await;
        let read = fixture.store.access_token(token.secret).await;
        assert!(!matches!(read, Ok(Some(_))), "{column}: {read:?}");
        let listing = fixture.store.access_tokens().await.unwrap();
        assert_eq!((listing.rows.len(), listing.refused.len()), (0, 1), "{column}");
    }
}
